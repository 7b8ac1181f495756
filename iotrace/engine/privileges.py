"""May this user trace at all? Asked before anything is compiled."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from iotrace.errors import PermissionDenied, Unsupported

_CAPABILITIES = {"CAP_SYS_ADMIN": 21, "CAP_PERFMON": 38, "CAP_BPF": 39}
"""include/uapi/linux/capability.h"""
_INITIAL_PID_NAMESPACE = 0xEFFFFFFC
"""PROC_PID_INIT_INO, include/linux/proc_ns.h"""


def effective_capabilities() -> int:
    """CapEff of this process, as a bit mask (man capabilities(7))."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def missing_capabilities() -> tuple[str, ...]:
    """What is lacking for BPF tracing: CAP_SYS_ADMIN alone, or CAP_BPF and CAP_PERFMON."""
    held = effective_capabilities()
    if held >> _CAPABILITIES["CAP_SYS_ADMIN"] & 1:
        return ()
    return tuple(name for name in ("CAP_BPF", "CAP_PERFMON") if not held >> _CAPABILITIES[name] & 1)


def require_privileges() -> None:
    """Raises PermissionDenied, with this very command under sudo to paste."""
    missing = missing_capabilities()
    if missing:
        program = Path(sys.argv[0])
        command = str(program.resolve()) if program.exists() else program.name
        raise PermissionDenied(
            "Tracing needs more privileges than this user has.",
            why=f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing "
            f"(user id {os.geteuid()}).",
            paste=f"sudo {shlex.join([command, *sys.argv[1:]])}",
        )


def refused(what: str, error: Exception) -> PermissionDenied | None:
    """The error for a refusal that more privileges would mend; None: they would not."""
    if not missing_capabilities() and "not permitted" not in str(error):
        return None
    return PermissionDenied(
        f"The kernel does not let this user {what}.",
        why="BPF tracing needs root, or CAP_BPF and CAP_PERFMON, and a kernel that is not "
        "locked down.",
        paste="cat /sys/kernel/security/lockdown; sudo iotrace ...",
    )


def require_host_pids() -> None:
    """Raises Unsupported where pids here are not the kernel's own (inside a container)."""
    try:
        inode = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return
    if inode != _INITIAL_PID_NAMESPACE:
        raise Unsupported(
            "iotrace runs in a PID namespace of its own.",
            why="The kernel's probes see the host's process ids, this container's /proc shows "
            "others.",
            paste="sudo iotrace attach PID   # on the host; "
            "grep NSpid /proc/*/status shows both ids",
        )
