"""Fresh systems of other distributions, in chroots on this machine's kernel."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.apt import Unreachable
from tests.kernels.distribution import is_ubuntu, mirror

_INCLUDED = "ca-certificates"
_UBUNTU_SCRIPT = "gutsy"
"""debootstrap's for all of Ubuntu's suites: an older debootstrap does not know the newest names."""
_FROM_HERE = ("etc/resolv.conf", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")
"""This machine's way to the package registries."""
_MOUNTS = "mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev; "
_MOST_SECONDS = 1200


class Failed(Exception):
    """A command in a chroot failed; the text is the end of what it said."""


def base_system(suite: str, cache: Path) -> Path:
    """A minimal system of a suite, made once. Raises Unreachable."""
    base = cache / f"base-{suite}"
    if base.exists():
        return base
    made = base.with_suffix(".part")
    shutil.rmtree(made, ignore_errors=True)
    options = ["--variant=minbase", f"--include={_INCLUDED}"]
    script = []
    if is_ubuntu(suite):
        options += ["--no-check-gpg", "--components=main,universe"]
        script = [_UBUNTU_SCRIPT]
    done = subprocess.run(
        ["debootstrap", *options, suite, made, mirror(suite), *script],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Unreachable(f"{suite}: {done.stdout[-300:]}{done.stderr[-300:]}".strip())
    made.rename(base)
    return base


@dataclass(frozen=True, slots=True)
class Chroot:
    """``root``: a directory with a whole system in it."""

    root: Path

    def run(self, *command: str, env: Mapping[str, str] | None = None) -> str:
        """What a command prints in there, as root, with proc, sys and dev. Raises Failed."""
        enter = f"cd '{self.root}'; {_MOUNTS} exec env -i \"$@\""
        given = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            **(env or {}),
        }
        words = [f"{name}={value}" for name, value in given.items()]
        done = subprocess.run(
            ["unshare", "-m", "sh", "-euc", enter, "sh", *words, "chroot", ".", *command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_MOST_SECONDS,
        )
        if done.returncode:
            said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            raise Failed(f"{' '.join(command)}: exit {done.returncode}: {' / '.join(said[-6:])}")
        return done.stdout

    def put(self, file: Path, place: str) -> None:
        """Copy a file of ours into it."""
        target = self.root / place.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)

    def install(self, *packages: str) -> None:
        """Distribution packages, or .deb files by their path. Raises Failed."""
        self.run("apt-get", "-qq", "update")
        self.run("apt-get", "-qq", "install", "--no-install-recommends", "-y", *packages)


@contextlib.contextmanager
def fresh_system(suite: str, cache: Path) -> Iterator[Chroot]:
    """A system of that suite that nobody has used, gone afterwards. Raises Unreachable."""
    base = base_system(suite, cache)
    place = Path(tempfile.mkdtemp(dir=cache, prefix=f"{suite}-"))
    layers = {name: place / name for name in ("upper", "work", "root")}
    for layer in layers.values():
        layer.mkdir()
    overlay = f"lowerdir={base},upperdir={layers['upper']},workdir={layers['work']}"
    root = layers["root"]
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", overlay, root], check=True)
    try:
        system = Chroot(root)
        for name in _FROM_HERE:
            if Path("/", name).exists():
                system.put(Path("/", name), name)
        yield system
    finally:
        subprocess.run(["umount", root], check=True)
        shutil.rmtree(place)
