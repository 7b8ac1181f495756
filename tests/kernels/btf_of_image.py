"""The types (BTF) of a kernel that does not run here: found in its image."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

_COMPRESSIONS = (
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"\x02\x21\x4c\x18", "lz4"),
)
"""Magic numbers that scripts/extract-vmlinux looks for, too."""
_MAGIC = b"\x9f\xeb\x01\x00\x18\x00\x00\x00"
"""struct btf_header: magic, version 1, no flags, 24 bytes long."""
_KERNEL_BYTES = 1 << 24
_TYPES_BYTES = 1 << 20
"""A module's BTF is smaller, the kernel's larger."""


def btf_of(image: Path) -> bytes:
    """Raises ValueError where there is none: built without CONFIG_DEBUG_INFO_BTF."""
    for kernel in _unpacked(image.read_bytes()):
        at = kernel.find(_MAGIC)
        while at >= 0:
            _, types_bytes, strings_at, strings_bytes = struct.unpack_from("<4I", kernel, at + 8)
            if types_bytes > _TYPES_BYTES:
                return kernel[at : at + 24 + strings_at + strings_bytes]
            at = kernel.find(_MAGIC, at + 1)
    raise ValueError(f"{image.name} has no BTF")


def _unpacked(image: bytes) -> Iterator[bytes]:
    yield image
    for magic, tool in _COMPRESSIONS:
        at = image.find(magic)
        while at >= 0 and shutil.which(tool):
            found = subprocess.run([tool, "-dc"], input=image[at:], capture_output=True).stdout
            if len(found) > _KERNEL_BYTES:
                yield found
                break
            at = image.find(magic, at + 1)
