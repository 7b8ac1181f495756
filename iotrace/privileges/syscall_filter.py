# SPDX-License-Identifier: Apache-2.0
"""Does something other than a missing capability refuse the system calls of tracing?

A seccomp filter (seccomp(2)), as container engines install one, refuses calls whatever the caller's
capabilities; in a user namespace (a rootless container) those of bpf(2) do not count.
"""

from __future__ import annotations

import ctypes
import errno
import platform
from pathlib import Path

from iotrace.errors import PermissionDenied

BPF = {"x86_64": 321, "aarch64": 280}
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
"""System call numbers by machine."""
_ALL_ONES = ctypes.c_ulong(-1)
_WHOLE_RANGE = ["0", "0", "4294967295"]
"""The uid_map of the host's own user namespace: user_namespaces(7)."""
SECCOMP = (
    "podman run --security-opt seccomp=unconfined ...  "
    "# Kubernetes: securityContext.seccompProfile.type: Unconfined"
)
ROOTFUL = "sudo podman run --privileged --pid=host ...  # root's container, not a rootless one"

_libc = ctypes.CDLL(None, use_errno=True)


def is_filtered(numbers: dict[str, int]) -> bool:
    """Whether a seccomp filter refuses this call, ``BPF`` or ``PERF_EVENT_OPEN``.

    The kernel itself answers these arguments with EINVAL (perf_event_open: unknown flags; bpf: an
    unknown command, of those who may call it at all).
    """
    if not _has_filter():
        return False
    zero = ctypes.c_ulong(0)
    arguments = (_ALL_ONES, zero, zero, zero, _ALL_ONES)
    if _libc.syscall(ctypes.c_long(numbers[platform.machine()]), *arguments) >= 0:
        return False
    return ctypes.get_errno() in (errno.EPERM, errno.EACCES, errno.ENOSYS)


def in_user_namespace(uid_map: Path = Path("/proc/self/uid_map")) -> bool:
    """Whether our capabilities are those of a user namespace below the host's."""
    try:
        return uid_map.read_text().split() != _WHOLE_RANGE
    except OSError:  # a kernel without user namespaces
        return False


def require_bpf_call() -> None:
    """Of whoever has the capabilities. Raises PermissionDenied."""
    if in_user_namespace():
        raise PermissionDenied(
            "The kernel does not let iotrace call bpf(2) in a user namespace.",
            why="This is a rootless container, or the like: its root has no capability that the "
            "host's kernel counts for bpf(2).",
            paste=ROOTFUL,
        )
    if is_filtered(BPF):
        raise PermissionDenied(
            "A seccomp filter does not let iotrace call bpf(2).",
            why="The container engine installed it. It refuses the call, though iotrace has the "
            "capabilities.",
            paste=SECCOMP,
        )


def _has_filter(status: Path = Path("/proc/self/status")) -> bool:
    """SECCOMP_MODE_FILTER of proc_pid_status(5)."""
    return "\nSeccomp:\t2\n" in status.read_text(errors="replace")
