"""Programs of Debian's packages, unpacked beside the machine's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.apt import Apt, debian_mirror

_CACHE = Path("/var/cache/iotrace-tests")


def unpacked(package: str, suite: str) -> Path:
    """The files of a package that needs little else. Raises Unreachable."""
    place = _CACHE / package
    folder = place / "root"
    if not folder.exists():
        new = place / "root.new"
        shutil.rmtree(new, ignore_errors=True)
        (place / "debs").mkdir(parents=True, exist_ok=True)
        apt = Apt(place / f"apt-{suite}", [f"deb {debian_mirror()} {suite} main"])
        for found in apt.download([package], place / "debs"):
            subprocess.run(["dpkg-deb", "-x", found, new], check=True)
        new.rename(folder)  # whole, or not there
    return folder
