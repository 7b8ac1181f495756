# SPDX-License-Identifier: Apache-2.0
"""The open descriptors of a process: ``/proc/PID/fd`` and ``/proc/PID/fdinfo``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iotrace.procfs.descriptor_kinds import kind_of_link, kind_of_mode, kind_of_protocol
from iotrace.procfs.fdinfo import FdInfo, Watch, parse_fdinfo, parse_watches
from iotrace.procfs.files import PROC, ProcessErrors, read_start
from iotrace.procfs.statx import cached_mode

_FDINFO_BYTES = 1 << 20
"""Some 14,000 entries of an epoll."""
_INODE = re.compile(r"(?:socket|pipe):\[(\d{1,20})\]")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One descriptor number and what it was open to when it was read.

    ``kind``: "tcp", "udp", "unix", "netlink", "socket" (any other), "pipe", "fifo", "file",
    "dir", "eventfd", "epoll", "timerfd", "signalfd", "inotify", "pidfd", "io_uring", "memfd",
    "tty", "pty", "char", "block" or "anon" (any other). What has a path on a file system that
    doesn't answer is a "file". ``target``: the text of the link, a path for what has one.
    ``inode``: of a socket, or of a pipe, whose ends share it; else None. ``info``: None where
    this kernel words it otherwise. ``watches``: an epoll's interest list, or the first 1 MiB of it.
    """

    fd: int
    kind: str
    target: str
    inode: int | None
    info: FdInfo | None
    watches: tuple[Watch, ...] = ()


def parse_inode(target: str) -> int | None:
    """The inode in the link of a socket or a pipe; None for any other."""
    match = _INODE.fullmatch(target)
    return int(match[1]) if match else None


def read_descriptors(
    pid: int, fds: Iterable[int] | None = None, root: str = PROC
) -> dict[int, Descriptor]:
    """What ``iterate_descriptors`` finds, by number. Raises as it does."""
    return {descriptor.fd: descriptor for descriptor in iterate_descriptors(pid, fds, root)}


def iterate_descriptors(
    pid: int, fds: Iterable[int] | None = None, root: str = PROC
) -> Iterator[Descriptor]:
    """The open descriptors of a process: all of them, or those of ``fds`` that are open.

    One that is closed meanwhile is left out. A thread with a table of its own (unshare(2) with
    CLONE_FILES) is not looked for. An epoll's interest list can't be read while the kernel is
    collecting its events, which takes as long as a file system of the process's own lets it take:
    the reading waits for that. While the kernel prints the list (a good 1 us an entry) the program
    can't collect events, so this isn't to be done often.
    Raises ``NoSuchProcess``, ``PermissionDenied``.
    """
    directory = f"{root}/{pid}"
    with ProcessErrors(pid, root):
        links = os.open(f"{directory}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            infos = os.open(f"{directory}/fdinfo", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                for fd in _open_numbers(links) if fds is None else sorted(set(fds)):
                    found = _read_descriptor(fd, directory, links, infos)
                    if found is not None:
                        yield found
            finally:
                os.close(infos)
        finally:
            os.close(links)


def is_epoll(pid: int, fd: int, root: str = PROC) -> bool:
    """Whether a process has an epoll open under this number."""
    try:
        target = os.readlink(f"{root}/{pid}/fd/{fd}")  # noqa: PTH115 (one system call, no object)
    except OSError:
        return False
    return kind_of_link(target) == "epoll"


def _open_numbers(links: int) -> Iterator[int]:
    """In ascending order: so the kernel lists them (fs/proc/fd.c)."""
    with os.scandir(links) as entries:
        for entry in entries:
            yield int(entry.name)


def _read_descriptor(fd: int, directory: str, links: int, infos: int) -> Descriptor | None:
    name = str(fd)
    try:
        target = os.readlink(name, dir_fd=links)
        kind = kind_of_link(target)
        if kind is None:
            kind = _kind_of_path(name, links)
        elif kind == "socket":
            kind = _kind_of_socket(f"{directory}/fd/{name}")
        text = read_start(name, _FDINFO_BYTES, dir_fd=infos)
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Descriptor(
        fd=fd,
        kind=kind,
        target=target,
        inode=parse_inode(target),
        info=_info_of(text),
        watches=parse_watches(text) if kind == "epoll" else (),
    )


def _kind_of_path(name: str, links: int) -> str:
    try:
        return kind_of_mode(*cached_mode(name, links))
    except (FileNotFoundError, ProcessLookupError):
        raise
    except OSError:  # FUSE refuses even root, a stale network file can't be asked
        return "file"


def _kind_of_socket(path: str) -> str:
    try:
        return kind_of_protocol(os.getxattr(path, "system.sockprotoname").rstrip(b"\0").decode())
    except OSError:
        return "socket"


def _info_of(text: bytes) -> FdInfo | None:
    try:
        return parse_fdinfo(text)
    except ValueError:
        return None
