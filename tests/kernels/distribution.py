"""Kernel packages of other distributions: mirrors, and apt with folders of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TOOLS = {
    "busybox": "busybox-static",
    "debootstrap": "debootstrap",
    "qemu-system-x86_64": "qemu-system-x86",
    "mkfs.ext4": "e2fsprogs",
    "depmod": "kmod",
    "cpio": "cpio",
    "zstd": "zstd",
    "xz": "xz-utils",
}
"""Program -> package."""
_UBUNTU = frozenset(("focal", "jammy", "noble", "plucky", "questing", "resolute"))
_UBUNTU_MIRROR = "http://archive.ubuntu.com/ubuntu"
_DEBIAN_MIRROR = "http://deb.debian.org/debian"
_LISTS_AGE_S = 24 * 3600


class Unreachable(Exception):
    """A mirror, a suite or a package that cannot be had here."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked kernel package. ``image``: its vmlinuz; ``modules``: lib/modules/RELEASE."""

    suite: str
    image: Path
    modules: Path

    @property
    def release(self) -> str:
        """As uname -r says it."""
        return self.modules.name


def missing_tools() -> list[str]:
    """Packages to install."""
    return sorted(package for program, package in TOOLS.items() if not shutil.which(program))


def is_ubuntu(suite: str) -> bool:
    """Whether a suite is one of Ubuntu's."""
    return suite in _UBUNTU


def mirror(suite: str) -> str:
    """Where a suite is fetched from: this machine's own Debian mirror, if it has one."""
    if is_ubuntu(suite):
        return _UBUNTU_MIRROR
    listed = (
        path.read_text(errors="replace")
        for path in sorted(Path("/etc/apt").glob("sources.list*/**/*"))
        if path.is_file()
    )
    lines = [line for text in listed for line in text.splitlines() if not line.startswith("#")]
    found = re.search(r"https?://\S*/debian(?=[/\s])", "\n".join([*lines, ""]))
    return found[0] if found else _DEBIAN_MIRROR


def fetch_kernel(suite: str, cache: Path) -> Kernel:
    """The newest kernel of a suite, unpacked under ``cache``. Raises Unreachable."""
    apt = _Apt(suite, cache / f"apt-{suite}")
    wanted = "linux-image-generic" if is_ubuntu(suite) else "linux-image-amd64"
    packages = apt.kernel_packages(wanted)
    place = cache / "kernels" / f"{suite}-{packages[0]}"
    if not (place / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for package in apt.download(packages, place):
            subprocess.run(["dpkg-deb", "-x", package, place], check=True)
            package.unlink()
        (place / "complete").touch()
    images = [path for path in place.glob("**/vmlinuz*") if path.is_file()]
    folders = [path for path in place.glob("**/lib/modules/*") if path.is_dir()]
    if not images or not folders:
        raise Unreachable(f"{' '.join(packages)} of {suite} have no kernel image, or no modules")
    image, modules = images[0], folders[0]
    return Kernel(suite, image, modules)


class _Apt:
    """apt with lists, archives and sources of its own."""

    def __init__(self, suite: str, place: Path) -> None:
        self._suite = suite
        for name in ("lists/partial", "archives/partial", "none"):
            (place / name).mkdir(parents=True, exist_ok=True)
        (place / "status").touch()
        sources = f"deb [trusted=yes] {mirror(suite)} {suite} main\n"
        if is_ubuntu(suite):
            sources += f"deb [trusted=yes] {mirror(suite)} {suite}-updates main\n"
        (place / "sources.list").write_text(sources)
        options = {
            "Dir::State": place,
            "Dir::State::status": place / "status",
            "Dir::State::Lists": place / "lists",
            "Dir::Cache": place,
            "Dir::Etc::SourceList": place / "sources.list",
            "Dir::Etc::SourceParts": place / "none",
            "Dir::Etc::PreferencesParts": place / "none",
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
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
            self._run("apt-get", "-q", "update")
            if not list((place / "lists").glob("*Packages*")):
                raise Unreachable(f"no package lists of {suite} at {mirror(suite)}")

    def _run(self, *command: str, cwd: Path | None = None) -> str:
        program, *arguments = command
        done = subprocess.run(
            [program, *self._options, *arguments], capture_output=True, text=True, cwd=cwd
        )
        return done.stdout

    def kernel_packages(self, wanted: str) -> list[str]:
        """The package with the kernel first; Ubuntu has the modules in others."""
        depends = self._run("apt-cache", "depends", "-i", "--recurse", wanted)
        names = re.findall(r"^linux-(?:image|modules|binary)\S*\d\.\d+\S*", depends, re.MULTILINE)
        unique = sorted(set(names), key=lambda name: ("modules" in name, name))
        if not unique:
            raise Unreachable(f"{self._suite} has no {wanted}")
        return unique

    def download(self, packages: list[str], place: Path) -> list[Path]:
        """Fetch packages into a folder. Raises Unreachable."""
        self._run("apt-get", "-q", "download", *packages, cwd=place)
        found = sorted(place.glob("*.deb"))
        if len(found) < len(packages):
            raise Unreachable(f"{self._suite}: could not download {' '.join(packages)}")
        return found
