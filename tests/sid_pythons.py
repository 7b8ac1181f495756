"""The newest Pythons, which few machines have: 3.14 and 3.15 of Debian's sid suite.

`python -m tests.sid_pythons` (which `.ci/setup tests` runs) unpacks their packages into a folder
of their own, outside of the clone, that is kept. Each has a script there that runs it with sid's
/usr in place of the machine's, in a mount namespace of its own: all other paths are as they are,
so a test's program needs no copy. Such a script's path can stand wherever a test takes that of an
interpreter; tests.interpreters lists them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.apt import Apt, Unreachable, debian_mirror

VERSIONS = ("3.14", "3.15")
_PACKAGES = (*(f"python{version}" for version in VERSIONS), "libstdc++6")
_FROM_PYPI = ("greenlet", "gevent", "uvloop", "uvicorn", "gunicorn")
_DEBUG_PACKAGES = tuple(f"python{version}-dbg" for version in VERSIONS)
_HEADERS = tuple(f"libpython{version}-dev" for version in VERSIONS)
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_HERE = Path(sys.prefix) / "sid"
"""Leads to the folder. $PREFIX/sid-missing instead: why there is none."""
_HERE_DEBUG = Path(sys.prefix) / "sid-debug"
_WHY_NOT = Path(sys.prefix) / "sid-missing"
_UNREACHED = "the registry was not reached"
_SCRIPT = """\
#!/bin/sh
# Debian sid's {name}: its /usr in place of this machine's, for this process alone.
[ "$(id -u)" = 0 ] || own="--user --map-current-user --keep-caps"
exec unshare $own --mount /bin/sh -c \\
  'mount --bind {root}/usr /usr && {variables}exec {path} "$@"' {name} "$@"
"""
_SCRIPTS = tuple(
    (f"python{version}{ending}", variables, f"/usr/bin/python{version}")
    for version in VERSIONS
    for ending, variables in (("", ""), ("-jit", "PYTHON_JIT=1 "))
)
_DEBUG_SCRIPTS = tuple((f"python{v}-dbg", "", f"/usr/bin/python{v}d") for v in VERSIONS)
"""Name, variables, path."""


def sid_python(version: str, *, jit: bool = False) -> Path | None:
    """What runs "3.14" or "3.15", with its JIT switched on or as it is; None: not here."""
    path = _HERE / "bin" / f"python{version}{'-jit' if jit else ''}"
    return path if path.exists() else None


def sid_pythons() -> dict[str, str]:
    """Path -> version, of those that are here."""
    found = {version: sid_python(version) for version in VERSIONS}
    return {str(path): version for version, path in found.items() if path is not None}


def sid_debug_python(version: str) -> Path | None:
    """The same built --with-pydebug (`python -m tests.sid_pythons debug`: 200 MB)."""
    path = _HERE_DEBUG / "bin" / f"python{version}-dbg"
    return path if path.exists() else None


def headers(version: str) -> Path | None:
    """The folder with that version's Python.h, None: not here."""
    folder = _HERE / "root/usr/include" / f"python{version}"
    return folder if folder.is_dir() else None


def packages_folder(version: str) -> Path | None:
    """For $PYTHONPATH: greenlet, gevent, uvloop, uvicorn, gunicorn; None: not here."""
    folder = _HERE / "packages" / version
    return folder if folder.is_dir() else None


def why_missing() -> tuple[str, bool]:
    """Why they are not here, and whether that is for the want of a network alone."""
    reason = _WHY_NOT.read_text() if _WHY_NOT.exists() else ".ci/setup tests was not run"
    return reason, _UNREACHED in reason


def make() -> None:
    """Put them into the folder, unless they are there. Raises Unreachable."""
    place = _made("sid", _PACKAGES, _HEADERS, _FROM_PYPI, _SCRIPTS)
    _lead_to(_HERE, place)
    for version in VERSIONS:
        subprocess.run([place / "bin" / f"python{version}", "-c", "import ssl"], check=True)


def make_debug_builds() -> None:
    """The same of the builds --with-pydebug. Raises Unreachable."""
    _lead_to(_HERE_DEBUG, _made("sid-debug", _DEBUG_PACKAGES, (), (), _DEBUG_SCRIPTS))


def _lead_to(link: Path, place: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(place)


def _made(
    name: str,
    packages: tuple[str, ...],
    headers: tuple[str, ...],
    from_pypi: tuple[str, ...],
    scripts: tuple[tuple[str, str, str], ...],
) -> Path:
    wanted = repr((packages, headers, from_pypi, scripts, _SCRIPT)).encode()
    cache = _cache()
    place = cache / f"{name}-{hashlib.sha256(wanted).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            unfinished = cache / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            with ThreadPoolExecutor() as pool:
                installed = [
                    pool.submit(_install, from_pypi, version, unfinished / "packages" / version)
                    for version in VERSIONS
                ]
                _unpack(packages, headers, unfinished)
                for one in installed:
                    one.result()
            _write_scripts(scripts, unfinished / "bin", place / "root")
            unfinished.rename(place)
    return place


def _cache() -> Path:
    if os.getuid() == 0:
        return Path("/var/cache/iotrace-tests")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iotrace-tests"


def _unpack(packages: tuple[str, ...], headers: tuple[str, ...], place: Path) -> None:
    if not _KEYRING.exists():
        raise Unreachable(f"{_UNREACHED}: its signature needs {_KEYRING}")
    source = f"deb [signed-by={_KEYRING}] {debian_mirror()} sid main"
    root = place / "root"
    with tempfile.TemporaryDirectory(dir=place.parent) as temporary:
        try:
            apt = Apt(Path(temporary) / "apt", [source])
        except Unreachable as reason:
            raise Unreachable(f"{_UNREACHED}: {reason}") from reason
        for package in apt.download_with_dependencies(packages):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
        for package in apt.download(headers, Path(temporary)):
            whole = Path(temporary) / package.stem
            subprocess.run(["dpkg-deb", "-x", package, whole], check=True)
            shutil.copytree(whole / "usr/include", root / "usr/include", dirs_exist_ok=True)


def _install(packages: tuple[str, ...], version: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    other = ["--no-compile", "--python-version", version, "--only-binary=:all:", "--target", folder]
    if packages and subprocess.run([*pip, *other, *packages], check=False).returncode:
        raise Unreachable(f"pip could not install {' '.join(packages)} for Python {version}")


def _write_scripts(scripts: tuple[tuple[str, str, str], ...], folder: Path, root: Path) -> None:
    folder.mkdir()
    for name, variables, path in scripts:
        text = _SCRIPT.format(name=name, root=root, variables=variables, path=path)
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


if __name__ == "__main__":
    if sys.argv[1:] == ["debug"]:
        sys.exit(make_debug_builds())
    _WHY_NOT.unlink(missing_ok=True)
    try:
        make()
    except (Unreachable, subprocess.CalledProcessError) as reason:
        _WHY_NOT.write_text(str(reason))
        sys.exit(f"no Python 3.14 and 3.15: {reason}")
