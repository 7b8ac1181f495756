"""apt with folders of its own: packages of other distributions, beside those of this machine."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

_DEBIAN_MIRROR = "http://deb.debian.org/debian"
_LISTS_AGE_S = 24 * 3600


class Unreachable(Exception):
    """A mirror, a suite or a package that cannot be had here."""


def debian_mirror() -> str:
    """Where Debian is fetched from: this machine's own mirror, if it has one."""
    listed = (
        path.read_text(errors="replace")
        for path in sorted(Path("/etc/apt").glob("sources.list*/**/*"))
        if path.is_file()
    )
    lines = [line for text in listed for line in text.splitlines() if not line.startswith("#")]
    found = re.search(r"https?://\S*/debian(?=[/\s])", "\n".join([*lines, ""]))
    return found[0] if found else _DEBIAN_MIRROR


class Apt:
    """apt with lists, archives and sources of its own, all under ``place``."""

    def __init__(self, place: Path, sources: Sequence[str], machine: str = "amd64") -> None:
        """``sources``: lines of a sources.list; ``machine``: dpkg's name. Raises Unreachable."""
        for name in ("lists/partial", "archives/partial", "none"):
            (place / name).mkdir(parents=True, exist_ok=True)
        (place / "status").touch()
        (place / "sources.list").write_text("".join(f"{line}\n" for line in sources))
        self._archives = place / "archives"
        options = {
            "Dir::State": place,
            "Dir::State::status": place / "status",
            "Dir::State::Lists": place / "lists",
            "Dir::Cache": place,
            "Dir::Etc::SourceList": place / "sources.list",
            "Dir::Etc::SourceParts": place / "none",
            "Dir::Etc::PreferencesParts": place / "none",
            "APT::Architecture": machine,
            "APT::Architectures": machine,
            "APT::Install-Recommends": "false",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "1",
            "Acquire::http::Timeout": "20",
        }
        self._options = [
            word for key, value in options.items() for word in ("-o", f"{key}={value}")
        ]
        lists = list((place / "lists").glob("*Packages*"))
        if not any(time.time() - path.stat().st_mtime < _LISTS_AGE_S for path in lists):
            self.run("apt-get", "-q", "update")
            if not list((place / "lists").glob("*Packages*")):
                raise Unreachable(f"no package lists of {' '.join(sources)}")

    def run(self, *command: str, cwd: Path | None = None) -> str:
        """What one of apt's programs prints."""
        program, *arguments = command
        done = subprocess.run(
            [program, *self._options, *arguments], capture_output=True, text=True, cwd=cwd
        )
        return done.stdout

    def download(self, packages: Sequence[str], place: Path) -> list[Path]:
        """Fetch packages into a folder. Raises Unreachable."""
        if packages:
            self.run("apt-get", "-q", "download", *packages, cwd=place)
        found = sorted(place.glob("*.deb"))
        if len(found) < len(packages):
            raise Unreachable(f"could not download {' '.join(packages)}")
        return found

    def download_with_dependencies(self, packages: Sequence[str]) -> list[Path]:
        """Fetch packages and all that they need, as if nothing were installed.

        Raises Unreachable.
        """
        self.run("apt-get", "-q", "--yes", "--download-only", "install", *packages)
        found = sorted(self._archives.glob("*.deb"))
        missing = [one for one in packages if not list(self._archives.glob(f"{one}_*.deb"))]
        if missing:
            raise Unreachable(f"could not download {' '.join(missing)}")
        return found
