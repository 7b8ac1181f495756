# SPDX-License-Identifier: Apache-2.0
"""Whole files of /proc as bytes, and what it means to a user when one can't be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.access import why_refused

PROC = "/proc"
ABSENT_VARIABLE = "IOTRACE_ABSENT"
"""Names files here (and other features) that are to be treated as if they were not there."""
MOST_BYTES = 1 << 25
"""Of a file of /proc. The memory map of a process with 65,530 mappings, the most that Linux
allows by default, is 8 MB with paths of 60 characters."""
_FIRST_CHUNK_BYTES = 1 << 14
_LAST_CHUNK_BYTES = 1 << 20
_ENDED = (b"Z", b"X")  # states of proc_pid_stat(5)


class TooLarge(ValueError):
    """A file of /proc holds more than any honest process makes it hold."""


def read_file(path: str, dir_fd: int | None = None, most_bytes: int = MOST_BYTES) -> bytes:
    """The whole of ``path``; relative to the directory ``dir_fd`` if that is given.

    Raises what ``os.open`` and ``os.read`` raise, and ``TooLarge`` beyond ``most_bytes``.
    """
    return b"".join(_chunks(path, dir_fd, most_bytes))


def read_start(path: str, most_bytes: int, dir_fd: int | None = None) -> bytes:
    """The first ``most_bytes`` of ``path``, all of it if it has fewer. Raises ``OSError``."""
    kept = bytearray()
    try:
        for chunk in _chunks(path, dir_fd, most_bytes):
            kept += chunk
    except TooLarge:
        pass
    return bytes(kept)


def read_lines(path: str, most_bytes: int = MOST_BYTES) -> Iterator[bytes]:
    """``path`` in pieces of whole lines, so that it is never in memory as a whole.

    Raises as ``read_file``, at any piece.
    """
    rest = b""
    for chunk in _chunks(path, None, most_bytes):
        whole, newline, last = chunk.rpartition(b"\n")
        if newline:
            yield rest + whole + newline
            rest = last
        else:
            rest += last
    if rest:
        yield rest


def _chunks(path: str, dir_fd: int | None, most_bytes: int) -> Iterator[bytes]:
    # Files of /proc have no size and return less than asked for long before their end.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        wanted, left = _FIRST_CHUNK_BYTES, most_bytes
        while chunk := os.read(descriptor, min(wanted, left + 1)):
            if len(chunk) > left:
                yield chunk[:left]
                raise TooLarge(f"{path} is larger than {most_bytes >> 10} KiB")
            left -= len(chunk)
            yield chunk
            # The kernel walks its whole socket table anew for each read: few large ones, then.
            wanted = min(2 * wanted, _LAST_CHUNK_BYTES)
    finally:
        os.close(descriptor)


def text_of(raw: bytes) -> str:
    """A name, path or argument that a process chose, whatever bytes it holds.

    Bytes that aren't UTF-8 become lone surrogates, as with ``os.fsdecode``.
    """
    return raw.decode("utf-8", "surrogateescape")


class ProcessErrors:
    """Turns the ``OSError`` of reading ``/proc/PID`` or ``/proc/PID/task/TID`` into ours.

    ``PermissionDenied``: the kernel refused; ``NoSuchProcess``: the process or thread has ended
    (one that wasn't waited for yet included);
    ``Unsupported``: it is there but the file isn't, so this kernel was built without it.
    Any other ``OSError`` passes.
    """

    __slots__ = ("_pid", "_root", "_tid")

    def __init__(self, pid: int, root: str = PROC, tid: int | None = None) -> None:
        self._pid = pid
        self._root = root
        self._tid = tid

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, PermissionError) and self._is_there():
            raise self._refused(error) from error
        if isinstance(error, FileNotFoundError) and self._is_there():
            raise Unsupported(
                f"this kernel has no {error.filename}",
                why="it was built without that part of /proc",
            ) from error
        if isinstance(error, FileNotFoundError | ProcessLookupError | PermissionError):
            if self._has_lost_its_first_thread():
                raise NoSuchProcess(
                    f"the main thread of process {self._pid} has ended",
                    why="others go on (it hangs while it ends, perhaps), but /proc shows nothing "
                    "of the whole process any more; attach sooner, or to its parent",
                    paste=f"ps -L -o pid,lwp,stat,wchan:24,comm -p {self._pid}",
                ) from error
            thread = "" if self._tid is None else f"thread {self._tid} of "
            raise NoSuchProcess(
                f"there is no {thread}process {self._pid}",
                why="it has ended, or it is seen under that number in another PID namespace only",
                paste="ps -e -o pid,ppid,args",
            ) from error

    def _refused(self, error: PermissionError) -> PermissionDenied:
        return PermissionDenied(
            f"process {self._pid} can't be looked into",
            why=f"the kernel refused to read {error.filename or 'its files in /proc'}: "
            f"{why_refused(self._pid, self._root)}",
            paste="iotrace doctor" if os.geteuid() == 0 else f"sudo iotrace attach {self._pid}",
        )

    def _is_there(self) -> bool:
        directory = f"{self._root}/{self._pid}"
        if self._tid is not None:
            directory = f"{directory}/task/{self._tid}"
        try:
            stat = read_file(f"{directory}/stat")
        except OSError:
            return os.path.exists(directory)  # noqa: PTH110
        # What has ended but wasn't waited for keeps its entry and loses most of its files.
        return stat.rpartition(b") ")[2][:1] not in _ENDED

    def _has_lost_its_first_thread(self) -> bool:
        if self._tid is not None or self._is_there():
            return False
        try:
            return len(os.listdir(f"{self._root}/{self._pid}/task")) > 1  # noqa: PTH208
        except OSError:
            return False


def is_absent(name: str) -> bool:
    """Whether a file (or another feature) is to be treated as if this kernel had none."""
    return name in os.environ.get(ABSENT_VARIABLE, "").split(",")


def read_process_file(pid: int, name: str, root: str = PROC) -> bytes:
    """``/proc/PID/name``. Raises as ``ProcessErrors`` says, and ``TooLarge``."""
    with ProcessErrors(pid, root):
        return read_file(f"{root}/{pid}/{name}")


def read_process_lines(
    pid: int, name: str, root: str = PROC, most_bytes: int = MOST_BYTES
) -> Iterator[bytes]:
    """``/proc/PID/name`` in pieces of whole lines. Raises as ``read_process_file``."""
    with ProcessErrors(pid, root):
        yield from read_lines(f"{root}/{pid}/{name}", most_bytes)


def read_task_file(pid: int, tid: int, name: str, root: str = PROC) -> bytes:
    """``/proc/PID/task/TID/name``. Raises as ``ProcessErrors`` says."""
    if is_absent(name):
        raise Unsupported(f"this kernel has no {root}/PID/task/TID/{name}", why=ABSENT_VARIABLE)
    with ProcessErrors(pid, root, tid):
        return read_file(f"{root}/{pid}/task/{tid}/{name}")
