# SPDX-License-Identifier: Apache-2.0
"""Namespaces of processes, and processes named by their number inside a container."""

from __future__ import annotations

import os
from dataclasses import dataclass

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.procfs.files import PROC, ProcessErrors
from iotrace.procfs.status import read_status

INITIAL_PID_NAMESPACE = 0xEFFFFFFC  # PROC_PID_INIT_INO, include/linux/proc_ns.h


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace's identity: namespaces(7); what bpf_get_ns_current_pid_tgid asks for."""

    device: int
    inode: int


def read_namespace(pid: int, kind: str, root: str = PROC) -> Namespace:
    """The namespace of a process; ``kind`` is a file of ``/proc/PID/ns``: "pid", "net", ...

    Raises ``NoSuchProcess``, ``PermissionDenied``, ``Unsupported``.
    """
    with ProcessErrors(pid, root):
        status = os.stat(f"{root}/{pid}/ns/{kind}")  # noqa: PTH116 (one system call, no object)
    return Namespace(status.st_dev, status.st_ino)


def read_own_namespace(kind: str, root: str = PROC) -> Namespace:
    """The caller's. Raises ``Unsupported`` where this /proc doesn't show the caller."""
    try:
        status = os.stat(f"{root}/self/ns/{kind}")  # noqa: PTH116
    except FileNotFoundError as error:
        raise Unsupported(
            f"{root} doesn't show this very process",
            why=f"{root} belongs to another PID namespace, or the kernel has no such namespaces",
        ) from error
    return Namespace(status.st_dev, status.st_ino)


def shares_namespace(pid: int, kind: str, root: str = PROC) -> bool:
    """Whether a process is in the caller's own namespace of that kind.

    Raises as ``read_namespace`` and ``read_own_namespace``.
    """
    return read_namespace(pid, kind, root) == read_own_namespace(kind, root)


def read_pids(root: str = PROC) -> tuple[int, ...]:
    """Every process that this /proc shows, in ascending order."""
    return tuple(sorted(int(name) for name in os.listdir(root) if name.isdecimal()))  # noqa: PTH208


def find_by_inner_pid(inner_pid: int, root: str = PROC) -> tuple[int, ...]:
    """Processes that are called ``inner_pid`` in a PID namespace within the caller's.

    Several containers may each have one. Costs one small file per process of the host.
    """
    found = []
    for pid in read_pids(root):
        try:
            inner = read_status(pid, root=root).namespaced_ids[1:]
        except (NoSuchProcess, PermissionDenied):
            continue
        if inner_pid in inner:
            found.append(pid)
    return tuple(found)
