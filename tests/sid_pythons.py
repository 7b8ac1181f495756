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
_HEADERS = tuple(f"libpython{version}-dev" for version in VERSIONS)
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_HERE = Path(sys.prefix) / "sid"
"""Leads to the folder. $PREFIX/sid-missing instead: why there is none."""
_WHY_NOT = Path(sys.prefix) / "sid-missing"
_UNREACHED = "the registry was not reached"
_SCRIPT = """\
#!/bin/sh
# Debian sid's {name}: its /usr in place of this machine's, for this process alone.
[ "$(id -u)" = 0 ] || own="--user --map-current-user --keep-caps"
exec unshare $own --mount /bin/sh -c \\
  'mount --bind {root}/usr /usr && {variables}exec {path} "$@"' {name} "$@"
"""


def sid_python(version: str, *, jit: bool = False) -> Path | None:
    """What runs "3.14" or "3.15", with its JIT switched on or as it is; None: not here."""
    path = _HERE / "bin" / f"python{version}{'-jit' if jit else ''}"
    return path if path.exists() else None


def sid_pythons() -> dict[str, str]:
    """Path -> version, of those that are here."""
    found = {version: sid_python(version) for version in VERSIONS}
    return {str(path): version for version, path in found.items() if path is not None}


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
    wanted = hashlib.sha256(repr((_PACKAGES, _FROM_PYPI, _HEADERS, _SCRIPT)).encode()).hexdigest()[
        :12
    ]
    cache = _cache()
    place = cache / f"sid-{wanted}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            unfinished = cache / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            with ThreadPoolExecutor() as pool:
                folders = (unfinished / "packages" / version for version in VERSIONS)
                installed = pool.map(_install, VERSIONS, folders)
                _unpack(unfinished)
                list(installed)
            _write_scripts(unfinished / "bin", place / "root")
            unfinished.rename(place)
    _HERE.unlink(missing_ok=True)
    _HERE.symlink_to(place)
    for version in VERSIONS:
        subprocess.run([place / "bin" / f"python{version}", "-c", "import ssl"], check=True)


def _cache() -> Path:
    if os.getuid() == 0:
        return Path("/var/cache/iotrace-tests")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iotrace-tests"


def _unpack(place: Path) -> None:
    if not _KEYRING.exists():
        raise Unreachable(f"{_UNREACHED}: its signature needs {_KEYRING}")
    source = f"deb [signed-by={_KEYRING}] {debian_mirror()} sid main"
    root = place / "root"
    with tempfile.TemporaryDirectory(dir=place.parent) as temporary:
        try:
            apt = Apt(Path(temporary) / "apt", [source])
        except Unreachable as reason:
            raise Unreachable(f"{_UNREACHED}: {reason}") from reason
        for package in apt.download_with_dependencies(_PACKAGES):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True)
        for package in apt.download(_HEADERS, Path(temporary)):
            whole = Path(temporary) / package.stem
            subprocess.run(["dpkg-deb", "-x", package, whole], check=True)
            shutil.copytree(whole / "usr/include", root / "usr/include", dirs_exist_ok=True)


def _install(version: str, folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    other = ["--no-compile", "--python-version", version, "--only-binary=:all:", "--target", folder]
    if subprocess.run([*pip, *other, *_FROM_PYPI], check=False).returncode:
        raise Unreachable(f"pip could not install {' '.join(_FROM_PYPI)} for Python {version}")


def _write_scripts(folder: Path, root: Path) -> None:
    folder.mkdir()
    for version in VERSIONS:
        for name, variables in (
            (f"python{version}", ""),
            (f"python{version}-jit", "PYTHON_JIT=1 "),
        ):
            path = f"/usr/bin/python{version}"
            text = _SCRIPT.format(name=name, root=root, variables=variables, path=path)
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)


if __name__ == "__main__":
    _WHY_NOT.unlink(missing_ok=True)
    try:
        make()
    except (Unreachable, subprocess.CalledProcessError) as reason:
        _WHY_NOT.write_text(str(reason))
        sys.exit(f"no Python 3.14 and 3.15: {reason}")
