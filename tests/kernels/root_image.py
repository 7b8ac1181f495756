"""The root file systems of the machines: Debian 12 with what iotrace needs, made once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path

from tests.kernels.distribution import mirror
from tests.kernels.foreign_root import PACKAGES, SUITE, unpack_root
from tests.kernels.hardware import Hardware, native

_BYTES = 6 << 30
_PLACE = "/srv/iotrace"
_SET_UP = f"cd {_PLACE} && git init -q . && .ci/setup"


@dataclass(frozen=True, slots=True)
class Roots:
    """Of one machine type. ``image``: its root file system; ``native``: the one that runs here;
    ``busybox``: a static program of that machine type."""

    image: Path
    native: Path
    busybox: Path


def roots_of(hardware: Hardware, product: Path, cache: Path) -> Roots:
    """ext4 images with iotrace's .venv in /srv/iotrace. The product's own files come later.

    They are made again when what iotrace depends on changes. Raises CalledProcessError.
    """
    mine = native()
    needed = [one for one in requires("iotrace") or () if "extra ==" not in one or '"uring"' in one]
    digest = hashlib.sha256("\n".join(sorted(needed)).encode()).hexdigest()[:12]
    root = cache / f"root-{SUITE}-{mine.debian}"
    image = root.with_name(f"{root.name}-{digest}.ext4")
    if not image.exists():
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            include = f"--include={PACKAGES}"
            command = ["debootstrap", "--variant=minbase", include, SUITE, root, mirror(SUITE)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            (root / "complete").touch()
        _install(product, root)
        _write_image(root, image)
    if hardware == mine:
        return Roots(image, image, root / "bin/busybox")
    other = cache / f"root-{SUITE}-{hardware.debian}"
    its_image = other.with_name(f"{other.name}-{digest}.ext4")
    if not its_image.exists():
        unpack_root(hardware, other)
        shutil.copytree(root / _PLACE.lstrip("/"), other / _PLACE.lstrip("/"), symlinks=True)
        _write_image(other, its_image)
    return Roots(its_image, image, other / "bin/busybox")


def _write_image(root: Path, image: Path) -> None:
    new = image.with_suffix(".new")
    new.unlink(missing_ok=True)
    with new.open("wb") as file:
        file.truncate(_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", root, new], check=True)
    for old in image.parent.glob(f"{root.name}-*.ext4"):
        old.unlink()
    new.rename(image)


def _install(product: Path, root: Path) -> None:
    """.ci/setup in the root, with this machine's way to the package registries."""
    place = root / _PLACE.lstrip("/")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    archive = subprocess.run(
        ["git", "-C", product, "archive", "HEAD"], check=True, capture_output=True
    )
    subprocess.run(["tar", "x", "-C", place], input=archive.stdout, check=True)
    for name in ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        if Path("/", name).exists():
            shutil.copy(Path("/", name), root / name)
    script = (
        f"mount -t proc proc '{root}/proc'; mount --bind /dev '{root}/dev'; "
        f"[ ! -d /opt ] || mount --bind /opt '{root}/opt'; "
        f"exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "
        "PIP_CERT=/etc/ssl/certs/ca-certificates.crt DEBIAN_FRONTEND=noninteractive "
        f"chroot '{root}' /bin/sh -c '{_SET_UP}'"
    )
    subprocess.run(["unshare", "-m", "sh", "-euc", script], check=True)


def run_in_image(image: Path, shared: Path, work: Path, *command: str) -> str:
    """Run a command in the root file system, which is read only; ``shared`` is its /mnt.

    What it prints. Raises CalledProcessError.
    """
    root = work / "root"
    root.mkdir(exist_ok=True)
    words = " ".join(f"'{word}'" for word in command)
    script = (
        f"mount -o ro,loop '{image}' '{root}'; mount --bind '{shared}' '{root}/mnt'; "
        f"mount -t proc proc '{root}/proc'; mount -t sysfs sys '{root}/sys'; "
        f"mount -t tmpfs tmp '{root}/tmp'; exec nice chroot '{root}' {words}"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-euc", script], check=True, capture_output=True, text=True
    )
    return done.stdout
