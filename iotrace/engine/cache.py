"""Images kept between runs, so that attaching again needs no compiler.

One file an image, named by everything it depends on. Root loads what it finds here into its
kernel: the folder must be root's own and closed to others, or it is not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from importlib import util
from pathlib import Path

from iotrace import __version__
from iotrace.engine.folder import cache_directory
from iotrace.engine.image import Image
from iotrace.engine.program import Limits, probes_directory

_KEPT = 16
"""Images in the folder; the one that was used longest ago goes."""


def image_key(limits: Limits, absent: frozenset[str], namespaced: bool) -> str:
    """Names an image by its sources, limits, the kernel's build and bcc's."""
    digest = hashlib.sha256()
    for source in sorted(probes_directory().glob("**/*.[ch]")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    facts = __version__, limits, sorted(absent), namespaced, os.uname()[2:], _bcc()
    digest.update(repr(facts).encode())
    with contextlib.suppress(OSError):
        digest.update(Path("/sys/kernel/notes").read_bytes())  # the kernel's build id
    return digest.hexdigest()


def _bcc() -> object:
    """What changes when bcc is replaced by another."""
    found = util.find_spec("bcc")
    if found is None or found.origin is None:
        return None
    status = Path(found.origin).stat()
    return found.origin, status.st_size, status.st_mtime_ns


def load_image(key: str) -> Image | None:
    """A kept image; None: there is none, or none that can be trusted."""
    path = cache_directory() / key
    try:
        if not is_private(path.parent):
            return None
        data = _read(path)
        os.utime(path)
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            return None
        return Image.from_bytes(data[32:])
    except (OSError, ValueError):
        return None


def _read(path: Path) -> bytes:
    """Never through a link, never from anything but a file."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read()


def store_image(key: str, image: Image) -> None:
    """Keep an image, if there is a place for it; failing is no error."""
    directory = cache_directory()
    with contextlib.suppress(OSError):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_private(directory):
            return
        data = image.to_bytes()
        with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
            file.write(hashlib.sha256(data).digest() + data)
        Path(file.name).rename(directory / key)
        by_age = sorted(directory.iterdir(), key=lambda path: -path.stat().st_mtime_ns)
        for old in by_age[_KEPT:]:
            old.unlink()


def is_private(directory: Path) -> bool:
    """Whether it belongs to this user and nobody else may write there. Raises OSError."""
    status = directory.lstat()
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.geteuid()
        and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
