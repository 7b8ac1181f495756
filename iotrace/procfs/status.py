# SPDX-License-Identifier: Apache-2.0
"""``/proc/PID/status`` and ``/proc/PID/task/TID/status``: proc_pid_status(5)."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.procfs.files import PROC, read_process_file, read_task_file


@dataclass(frozen=True, slots=True)
class Status:
    """One thread (the first one, when it was read from ``/proc/PID/status``).

    ``namespaced_ids``: its id in each PID namespace, from that of the /proc mount inwards to its
    own, so the last one is what the thread itself sees. ``uid`` is the real, ``effective_uid``
    the effective user. ``swapped_bytes``: of its memory, on swap (shared memory is not counted).
    ``anonymous_bytes``: of its memory in RAM what no file holds; None: the kernel does not tell.
    """

    tgid: int
    id: int
    parent: int
    uid: int
    effective_uid: int
    namespaced_ids: tuple[int, ...]
    threads: int
    voluntary_switches: int
    nonvoluntary_switches: int
    swapped_bytes: int = 0
    anonymous_bytes: int | None = None


def parse_status(data: bytes) -> Status:
    """Raises ``ValueError`` for anything that isn't such a file."""
    own_id = int(_field(data, b"Pid"))
    uids = _field(data, b"Uid").split()
    if len(uids) != 4:
        raise ValueError("not four user ids")
    # A kernel without PID namespaces has no such line.
    namespaced = _field(data, b"NSpid").split() if b"\nNSpid:\t" in data else [b"%d" % own_id]
    return Status(
        tgid=int(_field(data, b"Tgid")),
        id=own_id,
        parent=int(_field(data, b"PPid")),
        uid=int(uids[0]),
        effective_uid=int(uids[1]),
        namespaced_ids=tuple([int(number) for number in namespaced]),
        threads=int(_field(data, b"Threads")),
        voluntary_switches=int(_field(data, b"voluntary_ctxt_switches")),
        nonvoluntary_switches=int(_field(data, b"nonvoluntary_ctxt_switches")),
        # Kernel threads have no memory, and some kernels no swap.
        swapped_bytes=_kib(_field(data, b"VmSwap")) if b"\nVmSwap:\t" in data else 0,
        anonymous_bytes=_kib(_field(data, b"RssAnon")) if b"\nRssAnon:\t" in data else None,
    )


def _kib(field: bytes) -> int:
    number, unit = field.split()
    if unit != b"kB":
        raise ValueError("not in kB")
    return int(number) * 1024


def _field(data: bytes, key: bytes) -> bytes:
    # The one text in there that a process chooses, its name, has its newlines escaped.
    label = b"\n" + key + b":\t"
    start = data.index(label) + len(label)
    return data[start : data.index(b"\n", start)]


def read_status(pid: int, tid: int | None = None, root: str = PROC) -> Status:
    """Of one thread, or of the process's first thread without ``tid``.

    Raises ``NoSuchProcess``, ``PermissionDenied``.
    """
    if tid is None:
        return parse_status(read_process_file(pid, "status", root))
    return parse_status(read_task_file(pid, tid, "status", root))
