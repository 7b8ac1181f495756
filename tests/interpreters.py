"""The CPython interpreters on this machine that tests can be run against."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from tests.sid_pythons import VERSIONS, sid_debug_python, sid_python, sid_pythons

_ASK = "import sys, os; print(*sys.version_info[:2], os.path.realpath(sys.executable))"
_TRIED = range(9, 16)
_MAIN = ("3.9", "3.13", "3.14", "3.15")


@cache
def interpreters() -> tuple[str, ...]:
    """Paths of one interpreter a build: of the distribution, of pyenv, of Debian's sid."""
    return tuple(_found())


def main_interpreters() -> tuple[str, ...]:
    """For tests that take seconds with each: the oldest, and the newest three; all of them with
    IOTRACE_ALL_PYTHONS (`make pythons`), or where none of these is."""
    if os.environ.get("IOTRACE_ALL_PYTHONS"):
        return interpreters()
    main = tuple(path for path, version in _found().items() if version in _MAIN)
    return main or interpreters()


def with_jit() -> tuple[str, ...]:
    """Those that have a JIT, with the JIT on."""
    found = (sid_python(version, jit=True) for version in VERSIONS)
    return tuple(str(path) for path in found if path is not None)


def debug_builds() -> tuple[str, ...]:
    """Those built --with-pydebug, if they were fetched."""
    return tuple(str(path) for path in map(sid_debug_python, VERSIONS) if path is not None)


def version_of(path: str) -> str:
    """ "3.11"."""
    return _found()[path]


@cache
def _found() -> dict[str, str]:
    """Path -> version."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = [f"python3.{minor}" for minor in _TRIED]
    places = [Path("/usr/bin"), Path("/usr/local/bin"), *sorted(pyenv.glob("3.*/bin"))]
    found: dict[str, tuple[str, str]] = {}
    for path in [place / name for place in places for name in names]:
        if not path.exists():
            continue
        told = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False)
        if told.returncode == 0:
            major, minor, real = told.stdout.split(maxsplit=2)
            if major == "3" and int(minor) in _TRIED:
                found.setdefault(real, (str(path), f"{major}.{minor}"))
    return {**dict(found.values()), **sid_pythons()}


def label(path: str) -> str:
    """A short name for a test's id."""
    return "-".join(Path(path).parts[-3:]).replace("-bin-", "-")
