# SPDX-License-Identifier: Apache-2.0
"""The machine types that QEMU emulates for us."""

from __future__ import annotations

import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hardware:
    """``debian``: a machine type as dpkg calls it, ``machine``: as uname -m does, ``kernel``: as
    the kernel's own sources do. ``qemu``: the command of an emulated one."""

    debian: str
    machine: str
    kernel: str
    qemu: tuple[str, ...]
    boot: str
    """Options of its kernels: the console, and that QEMU's clock is to be trusted (the watchdog of
    a busy host's machine would take the HPET, which is slow)."""
    kernel_package: str
    """That depends on the newest kernel of a Debian suite."""


ALL = {
    hardware.debian: hardware
    for hardware in (
        Hardware(
            debian="amd64",
            machine="x86_64",
            kernel="x86",
            qemu=("qemu-system-x86_64", "-machine", "q35", "-cpu", "max"),
            boot="console=ttyS0 tsc=reliable",
            kernel_package="linux-image-amd64",
        ),
        Hardware(
            debian="arm64",
            machine="aarch64",
            kernel="arm64",
            # Pointer authentication by its own algorithm would take most of the time.
            qemu=("qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth-impdef=on"),
            boot="console=ttyAMA0",
            kernel_package="linux-image-arm64",
        ),
    )
}


def native() -> Hardware:
    """This machine's. Raises KeyError where it is none of ours."""
    return next(one for one in ALL.values() if one.machine == platform.machine())
