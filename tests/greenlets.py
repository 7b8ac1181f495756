"""The package greenlet for each interpreter that tests are run against; `.ci/setup tests` runs it.

What has been put beside them stays out of the interpreters themselves, which are not ours.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.interpreters import interpreters, version_of
from tests.sid_pythons import packages_folder, sid_pythons

_PLACE = Path(sys.prefix) / "greenlets"


def folder_for(python: str) -> Path | None:
    """What to put into that interpreter's $PYTHONPATH; None: nobody has installed it."""
    version = version_of(python)
    if python in sid_pythons():
        return packages_folder(version)
    if version == sysconfig.get_python_version():
        folder = Path(sysconfig.get_path("platlib"))
    else:
        folder = _PLACE / version
    return folder if (folder / "greenlet").is_dir() else None


def _install(version: str) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    other = ["--python-version", version, "--only-binary=:all:", "--no-deps"]
    subprocess.run([*pip, *other, "--target", _PLACE / version, "greenlet"], check=True)


if __name__ == "__main__":
    for version in sorted({version_of(one) for one in interpreters() if not folder_for(one)}):
        _install(version)
