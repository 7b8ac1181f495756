"""One virtual machine: boot a kernel, read what its checks say, end it."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import time
from pathlib import Path

from tests.kernels.btf_of_image import btf_of
from tests.kernels.distribution import Kernel
from tests.kernels.hardware import accelerator
from tests.kernels.initrd import make_initrd
from tests.kernels.results import Row
from tests.kernels.root_image import Roots, run_in_image

_HERE = Path(__file__).parent
_OPTIONS = (
    "panic=-1 quiet loglevel=5 mitigations=off net.ifnames=0 "
    "sysctl.kernel.softlockup_all_cpu_backtrace=1"
)
"""loglevel: call traces are warnings."""
_OUT_BYTES = 1 << 20


def try_kernel(
    kernel: Kernel, product: Path, roots: Roots, work: Path, runs: dict[str, int], limit_s: float
) -> Row:
    """Boot and check. What the machine says is kept in ``work``/console.

    ``runs``: how often to attach under load, by detail. Raises CalledProcessError where something
    here fails, rather than in the machine.
    """
    folder = work / "in"
    folder.mkdir(parents=True)
    subprocess.run(["cp", "-r", _HERE / "guest", folder], check=True)
    (folder / "settings.json").write_text(json.dumps({"runs": runs, "patience_s": 40}))
    _precompile(kernel, product, roots.native, folder, work)
    disk = work / "in.tar"
    with tarfile.open(disk, "w") as tar:
        tar.add(folder, ".")
    with disk.open("ab") as file:
        file.truncate(disk.stat().st_size + _OUT_BYTES)
    initrd = make_initrd(kernel, roots.busybox, work)
    began = time.monotonic()
    console = work / "console"
    _boot(kernel, initrd, roots.image, disk, console, limit_s)
    for large in (folder, work / "shared", work / "initrd"):
        shutil.rmtree(large)
    for large in (disk, initrd):
        large.unlink()
    row = Row.of_console(kernel.suite, console.read_text(errors="replace"))
    row.seconds = time.monotonic() - began
    return row


def _precompile(kernel: Kernel, product: Path, image: Path, folder: Path, work: Path) -> None:
    shared = work / "shared"
    (shared / "out").mkdir(parents=True)
    (shared / "types").write_bytes(btf_of(kernel.image))
    archive = subprocess.run(
        ["git", "-C", product, "archive", "--prefix=iotrace/", "HEAD"],
        check=True,
        capture_output=True,
    )
    subprocess.run(["tar", "x", "-C", shared], input=archive.stdout, check=True)
    probes = shared / "iotrace/iotrace/probes"
    probes.symlink_to("../probes")  # where an installed iotrace has them
    subprocess.run(["cp", _HERE / "guest/precompile.py", shared], check=True)
    command = ["/usr/bin/python3", "-B", "/mnt/precompile.py", "/mnt/iotrace", "/mnt/types"]
    command += [kernel.hardware.machine, kernel.hardware.kernel, "/mnt/out"]
    (work / "precompile.txt").write_text(run_in_image(image, shared, work, *command))
    (shared / "out").rename(folder / "precompiled")
    # As .ci/setup does: iotrace, as root, keeps no bytecode.
    packages = [f"/mnt/iotrace/{name}" for name in ("iotrace", "servers", "probes")]
    compiling = ["/usr/bin/python3", "-m", "compileall", "-q", "-s", "/mnt", "-p", "/srv"]
    run_in_image(image, shared, work, *compiling, *packages)
    probes.unlink(missing_ok=True)
    with tarfile.open(folder / "product.tar", "w") as tar:
        tar.add(shared / "iotrace", "iotrace")


def _boot(
    kernel: Kernel, initrd: Path, image: Path, disk: Path, console: Path, limit_s: float
) -> None:
    """To its end, or to the end of its time."""
    drives = ((image, "snapshot=on"), (disk, "readonly=on"))
    command = [
        *("nice", *kernel.hardware.qemu),
        *accelerator(kernel.hardware),
        *("-smp", "2", "-m", "2048", "-nodefaults", "-no-user-config", "-display", "none"),
        *("-no-reboot", "-serial", f"file:{console}"),
        *("-kernel", str(kernel.image), "-initrd", str(initrd)),
        *("-append", f"{kernel.hardware.boot} {_OPTIONS}"),
    ]
    for path, option in drives:
        command += ["-drive", f"file={path},format=raw,if=virtio,cache=unsafe,{option}"]
    console.touch()
    with subprocess.Popen(command) as machine:
        try:
            machine.wait(limit_s)
        except subprocess.TimeoutExpired:
            machine.kill()
