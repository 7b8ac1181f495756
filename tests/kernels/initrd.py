"""What a kernel starts with: busybox, the modules of its disk, and the way to the root image."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
import subprocess
from pathlib import Path

from tests.kernels.distribution import Kernel

_MODULES = (
    "virtio_pci virtio_blk ext4 crc32c crc32c_generic libcrc32c crc16 virtio_rng unix_diag "
    "inet_diag tcp_diag udp_diag"
).split()
_ON_DEMAND = re.compile(r"_diag")
"""Modules that iotrace must be able to load itself."""
_INIT = """#!/bin/sh
b=/bin/busybox
$b mount -t proc proc /proc; $b mount -t sysfs sys /sys; $b mount -t devtmpfs dev /dev
while read m; do $b insmod $m; done </order
n=0; while [ ! -b /dev/vda ] && [ $n -lt 300 ]; do $b sleep 0.1; n=$((n+1)); done
$b mount -t ext4 -o rw,noatime /dev/vda /new || $b poweroff -f
$b mkdir -p /new/lib/modules; $b cp -r /lib/modules/* /new/lib/modules/
for d in dev proc sys; do $b mount --move /$d /new/$d; done
exec $b switch_root /new /bin/sh -c 'mount -t tmpfs run /run; mkdir /run/in; \
tar xf /dev/vdb -C /run/in; exec sh /run/in/guest/init.sh'
"""


def make_initrd(kernel: Kernel, busybox: Path, work: Path) -> Path:
    """The initrd of a kernel, under ``work``."""
    tree = work / "initrd"
    modules = tree / "lib/modules" / kernel.release
    for name in ("bin", "proc", "sys", "dev", "new"):
        (tree / name).mkdir(parents=True)
    modules.mkdir(parents=True)
    shutil.copy(busybox, tree / "bin/busybox")
    (tree / "bin/sh").symlink_to("busybox")
    for path in kernel.modules.glob("modules.*"):
        shutil.copy(path, modules)
    order = [_put(path, modules) for path in _needed(kernel)]
    early = [f"/lib/modules/{kernel.release}/{n}\n" for n in order if not _ON_DEMAND.search(n)]
    (tree / "order").write_text("".join(early))
    subprocess.run(["depmod", "-b", tree, kernel.release], check=False, capture_output=True)
    (tree / "init").write_text(_INIT)
    (tree / "init").chmod(0o755)
    initrd = work / "initrd.gz"
    command = "find . | cpio -o -H newc --quiet | gzip -1"
    with initrd.open("wb") as out:
        subprocess.run(["sh", "-c", command], cwd=tree, stdout=out, check=True)
    return initrd


def _needed(kernel: Kernel) -> list[Path]:
    """Module files, each after those that it needs; what is built in has none."""
    base = kernel.modules.parents[2]
    subprocess.run(["depmod", "-b", base, kernel.release], check=False, capture_output=True)
    found: dict[Path, None] = {}
    for module in _MODULES:
        command = ["modprobe", "-d", str(base), "-S", kernel.release, "--show-depends", module]
        told = subprocess.run(command, capture_output=True, text=True).stdout
        for path in re.findall(r"^insmod (\S+)", told, re.MULTILINE):
            found[Path(path)] = None
    return list(found)


def _put(path: Path, modules: Path) -> str:
    """Copy a module, decompressed. Its name."""
    data = path.read_bytes()
    if path.suffix == ".xz":
        data = lzma.decompress(data)
    elif path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        data = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    name = path.name.split(".ko")[0] + ".ko"
    (modules / name).write_bytes(data)
    return name
