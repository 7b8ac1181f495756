# SPDX-License-Identifier: Apache-2.0
"""Images kept between runs, so that attaching again needs no compiler.

One file per image, named by everything it depends on. What is found here is loaded into the
kernel, so only what root alone can have written is used: the file, its directory, and every
directory above belong to root and nobody else may write to them.

Other users keep no images. A process without capabilities may write to any directory of its user,
but that user's iotrace may have been started with CAP_BPF: the kernel keeps the two apart
(ptrace_may_access()), and a shared file must not join them.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from importlib import util
from pathlib import Path

from iotrace import __version__, vocabulary
from iotrace.engine.cache_directory import cache_directory
from iotrace.engine.image import Image
from iotrace.engine.map_limits import Limits

_VERSION = "2"
"""Images of version 1 may hold headers of the directory that iotrace was called in."""
_KEPT = 16
"""Images in the directory; the one that was used longest ago goes."""
_MADE_FROM = (Path(__file__).parent, Path(vocabulary.__file__).parent)
"""Constants and tables of system calls: a new reason to wait is another image."""
_OWNER = 0
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def image_key(sources: str, limits: Limits, absent: frozenset[str], namespaced: bool) -> str:
    """Names an image by the kernel's build, bcc's, and what its text and flags are made from.

    ``sources``: probe_sources.sources_digest().
    """
    digest = hashlib.sha256()
    for folder in _MADE_FROM:
        for source in sorted(folder.glob("*.py")):
            digest.update(source.read_bytes())
    facts = __version__, sources, limits, sorted(absent), namespaced, os.uname()[2:], _bcc()
    digest.update(repr(facts).encode())
    with contextlib.suppress(OSError):
        digest.update(Path("/sys/kernel/notes").read_bytes())  # the kernel's build id
    return f"{_VERSION}-{digest.hexdigest()}"


def _bcc() -> object:
    """What changes when bcc is replaced by another."""
    found = util.find_spec("bcc")
    if found is None or found.origin is None:
        return None
    status = Path(found.origin).stat()
    return found.origin, status.st_size, status.st_mtime_ns


def load_image(key: str) -> Image | None:
    """A kept image; None: there is none, or none that can be trusted."""
    try:
        with _opened(cache_directory()) as directory:
            data = _read(key, directory)
        if hashlib.sha256(data[32:]).digest() != data[:32]:
            return None
        return Image.from_bytes(data[32:])
    except (OSError, ValueError):
        return None


def store_image(key: str, image: Image) -> None:
    """Keep an image, if there is a place for it; failing is no error."""
    place = cache_directory()
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(place) as directory:
            data = image.to_bytes()
            _write(key, hashlib.sha256(data).digest() + data, directory)
            _remove_old(directory)


def obstacle() -> str:
    """Why images cannot be kept; empty: they can, once their directory is made."""
    place = cache_directory()
    if os.geteuid() != _OWNER:
        return "compiled probes are kept for root only"
    while not place.exists():
        place = place.parent
    try:
        with _opened(place) as directory:
            if not os.access(".", os.W_OK, dir_fd=directory):
                return f"{place} cannot be written to"
    except OSError as error:
        return f"{place} cannot be used: {error.strerror}"
    return ""


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A directory that only root can write to or replace. Raises OSError."""
    directory = os.open("/", _DIRECTORY)
    try:
        for name in (*path.parent.resolve().parts[1:], path.name):
            status = os.fstat(directory)
            # In a sticky directory nobody can replace what is root's.
            _require_roots(directory, status, sticky=bool(status.st_mode & stat.S_ISVTX))
            below = os.open(name, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = below
        _require_roots(directory, os.fstat(directory))
        yield directory
    finally:
        os.close(directory)


def _require_roots(fd: int, status: os.stat_result, sticky: bool = False) -> None:
    """Raises PermissionError where another user owns it, or may write to it."""
    writable = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if status.st_uid not in (0, _OWNER) or (writable and not sticky):
        path = Path(f"/proc/self/fd/{fd}").readlink()
        raise PermissionError(errno.EPERM, f"another user may write to {path}")


def _read(name: str, directory: int) -> bytes:
    """Never through a link, never from anything but a file of root's alone. Raises OSError."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=directory), "rb") as file:
        status = os.fstat(file.fileno())
        _require_roots(file.fileno(), status)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise PermissionError(errno.EPERM, "not a file of one name", name)
        with contextlib.suppress(OSError):  # a read-only file system
            os.utime(file.fileno())
        return file.read()


def _write(name: str, data: bytes, directory: int) -> None:
    """All of it or nothing, under a name that appears once it is complete. Raises OSError."""
    partial = f"{name}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(partial, flags, 0o600, dir_fd=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.rename(partial, name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        os.unlink(partial, dir_fd=directory)
        raise


def _remove_old(directory: int) -> None:
    """Images of other versions, and the oldest of ours. Raises OSError."""
    names = {
        name: os.stat(name, dir_fd=directory, follow_symlinks=False).st_mtime_ns
        for name in os.listdir(directory)
    }
    ours = [name for name in names if name.startswith(f"{_VERSION}-")]
    kept = sorted(ours, key=names.__getitem__, reverse=True)[:_KEPT]
    for name in names.keys() - set(kept):
        os.unlink(name, dir_fd=directory)
