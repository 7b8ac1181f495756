# SPDX-License-Identifier: Apache-2.0
"""Whose process ids are meant: those of this /proc, which may be a container's.

The kernel numbers a process anew in each PID namespace (man pid_namespaces(7)). The probes use
the numbers of the namespace that /proc shows, so that both sides speak of the same ids.
"""

from __future__ import annotations

from pathlib import Path

from iotrace.errors import Unsupported

_INITIAL = 0xEFFFFFFC
"""PROC_PID_INIT_INO, include/linux/proc_ns.h"""


def namespace_of_proc(proc: Path = Path("/proc")) -> int | None:
    """The inode of the PID namespace that ``proc`` shows; None: the host's own.

    Raises Unsupported where it cannot be told.
    """
    try:
        # Process 1 of a mount of /proc is the first of the namespace that it shows.
        inode = (proc / "1/ns/pid").stat().st_ino
    except OSError:
        inode = _own_namespace(proc)
    return None if inode == _INITIAL else inode


def _own_namespace(proc: Path) -> int:
    """Our own, if ``proc`` shows that: then we have one id there only."""
    try:
        status = (proc / "self/status").read_text(errors="replace")
        inode = (proc / "self/ns/pid").stat().st_ino
    except OSError as error:
        raise Unsupported(
            "This /proc does not show iotrace itself.",
            why="It belongs to another PID namespace.",
            paste="mount -t proc proc /proc",
        ) from error
    for line in status.splitlines():
        if line.startswith("NSpid:") and len(line.split()) > 2:
            raise Unsupported(
                "This /proc belongs to another PID namespace.",
                why="iotrace cannot tell which: it may not look at process 1.",
                paste="mount -t proc proc /proc",
            )
    return inode


def shows_ourselves(proc: Path = Path("/proc")) -> bool:
    """Whether ``proc`` numbers this very process as the kernel does towards it."""
    status = (proc / "self/status").read_text(errors="replace")
    return any(line.startswith("NSpid:") and len(line.split()) == 2 for line in status.splitlines())


def require_own_proc() -> None:
    """Raises Unsupported: a child that we start would have another number in /proc."""
    if not shows_ourselves():
        raise Unsupported(
            "This /proc belongs to another PID namespace.",
            why="A program started here has another number there.",
            paste="mount -t proc proc /proc",
        )


def clock_is_shifted(offsets: Path = Path("/proc/self/timens_offsets")) -> bool:
    """Whether a time namespace shifts our monotonic clock (man time_namespaces(7))."""
    try:
        words = offsets.read_text().split()
    except OSError:
        return False
    return words[:1] == ["monotonic"] and any(int(word) for word in words[1:3])


def require_usable_clock() -> None:
    """Raises Unsupported: the probes' times and ours would not be of one clock."""
    if clock_is_shifted():
        raise Unsupported(
            "iotrace runs in a time namespace of its own.",
            why="Its monotonic clock is not the one that the kernel's probes read.",
            paste="sudo nsenter --target 1 --time iotrace ...",
        )
