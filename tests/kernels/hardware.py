# SPDX-License-Identifier: Apache-2.0
"""The machine types of our virtual machines, and what runs them."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


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


_KVM_MODULES = ("kvm_intel", "kvm_amd")
_LOCKS_PAGES = (8, 1)
"""From this QEMU on a CPU that translates code sees what another one writes to it meanwhile (its
commit deba78709ae8). Before, a kernel that switches a tracepoint on can run into its own int3."""


def accelerator(
    hardware: Hardware, device: Path = Path("/dev/kvm"), modules: Path = Path("/sys/module")
) -> tuple[str, ...]:
    """QEMU's options: KVM where the processor itself can do it, else emulated.

    A KVM without that (kvm_pvm) takes only kernels that were made for it.
    """
    by_processor = any((modules / name).is_dir() for name in _KVM_MODULES)
    if by_processor and hardware.machine == platform.machine() and os.access(device, os.W_OK):
        return ("-accel", "kvm")
    threads = "multi" if _version(hardware.qemu[0]) >= _LOCKS_PAGES else "single"
    return ("-accel", f"tcg,thread={threads}")


def _version(qemu: str) -> tuple[int, ...]:
    """(): not known."""
    try:
        told = subprocess.run([qemu, "--version"], capture_output=True, text=True).stdout
    except OSError:
        return ()
    found = re.search(r"version (\d+)\.(\d+)", told)
    return (int(found[1]), int(found[2])) if found else ()
