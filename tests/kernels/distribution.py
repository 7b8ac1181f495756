"""Kernel packages of other distributions: mirrors, and apt with folders of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.apt import Apt, Unreachable, debian_mirror
from tests.kernels.hardware import Hardware

TOOLS = {
    "busybox": "busybox-static",
    "debootstrap": "debootstrap",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-system-aarch64": "qemu-system-arm",
    "mkfs.ext4": "e2fsprogs",
    "depmod": "kmod",
    "cpio": "cpio",
    "zstd": "zstd",
    "xz": "xz-utils",
}
"""Program -> package."""
_UBUNTU = frozenset(("focal", "jammy", "noble", "plucky", "questing", "resolute"))
_UBUNTU_MIRROR = "http://archive.ubuntu.com/ubuntu"


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked kernel package. ``image``: its vmlinuz; ``modules``: lib/modules/RELEASE."""

    suite: str
    hardware: Hardware
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
    return debian_mirror()


def fetch_kernel(suite: str, hardware: Hardware, cache: Path) -> Kernel:
    """The newest kernel of a suite, unpacked under ``cache``. Raises Unreachable."""
    apt = _Kernels(suite, hardware, cache / f"apt-{suite}-{hardware.debian}")
    wanted = "linux-image-generic" if is_ubuntu(suite) else hardware.kernel_package
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
    return Kernel(suite, hardware, image, modules)


class _Kernels(Apt):
    """apt for the packages of one suite's kernel."""

    def __init__(self, suite: str, hardware: Hardware, place: Path) -> None:
        self._suite = suite
        sources = [f"deb [trusted=yes] {mirror(suite)} {suite} main"]
        if is_ubuntu(suite):
            sources.append(f"deb [trusted=yes] {mirror(suite)} {suite}-updates main")
        super().__init__(place, sources, hardware.debian)

    def kernel_packages(self, wanted: str) -> list[str]:
        """The package with the kernel first; Ubuntu has the modules in others."""
        depends = self.run("apt-cache", "depends", "-i", "--recurse", wanted)
        names = re.findall(r"^linux-(?:image|modules|binary)\S*\d\.\d+\S*", depends, re.MULTILINE)
        unique = sorted(set(names), key=lambda name: ("modules" in name, name))
        if not unique:
            raise Unreachable(f"{self._suite} has no {wanted}")
        return unique
