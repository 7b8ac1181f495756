# SPDX-License-Identifier: Apache-2.0
"""A root file system for another machine type: its packages unpacked, none of their scripts run.

debootstrap's second stage would be emulated and take 20 minutes. What the scripts do is not needed,
but for the few files that `_configure` makes.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.kernels.distribution import mirror
from tests.kernels.hardware import Hardware

SUITE = "bookworm"
PACKAGES = (
    "ca-certificates,git,make,sudo,procps,busybox-static,iproute2,python3,python3-venv,"
    "python3-bpfcc,strace,gcc,libc6-dev,kmod,util-linux"
)
_MERGED = ("bin", "sbin", "lib")


def unpack_root(hardware: Hardware, root: Path) -> None:
    """``root`` is made anew. Raises CalledProcessError."""
    packages = root.with_name(f"{root.name}-packages")
    if not (packages / "complete").exists():
        shutil.rmtree(packages, ignore_errors=True)
        command = ["debootstrap", "--download-only", "--variant=minbase"]
        command += [f"--arch={hardware.debian}", f"--include={PACKAGES}"]
        subprocess.run(
            [*command, SUITE, packages, mirror(SUITE)], check=True, stdout=subprocess.DEVNULL
        )
        (packages / "complete").touch()
    shutil.rmtree(root, ignore_errors=True)
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in sorted((packages / "var/cache/apt/archives").glob("*.deb")):
        script = 'dpkg-deb --fsys-tarfile "$0" | tar x --keep-directory-symlink -C "$1"'
        subprocess.run(["sh", "-c", script, package, root], check=True)
    _configure(root)


def _configure(root: Path) -> None:
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    shell = root / "bin/sh"
    if not shell.is_symlink():
        shell.symlink_to("dash")
    for name in ("dev", "proc", "sys", "run", "tmp", "mnt", "root"):
        (root / name).mkdir(exist_ok=True)
