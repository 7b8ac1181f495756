# SPDX-License-Identifier: Apache-2.0
"""May this user trace at all? Asked before anything is compiled."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from iotrace.errors import PermissionDenied
from iotrace.privileges.syscall_filter import require_bpf_call

CAPABILITIES = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_DAC_READ_SEARCH": 2,
    "CAP_FOWNER": 3,
    "CAP_KILL": 5,
    "CAP_SYS_PTRACE": 19,
    "CAP_SYS_ADMIN": 21,
    "CAP_PERFMON": 38,
    "CAP_BPF": 39,
}
"""Those that matter here, by their bits: include/uapi/linux/capability.h."""


def effective_capabilities() -> int:
    """CapEff of this process, as a bit mask (man capabilities(7))."""
    return capability_sets()[0]


def capability_sets() -> tuple[int, int]:
    """CapEff and CapPrm of this process, as bit masks."""
    masks = {"CapEff:": 0, "CapPrm:": 0}
    for line in Path("/proc/self/status").read_text().splitlines():
        key, _, value = line.partition("\t")
        if key in masks:
            masks[key] = int(value, 16)
    return masks["CapEff:"], masks["CapPrm:"]


def missing_capabilities() -> tuple[str, ...]:
    """What is lacking for BPF tracing: CAP_SYS_ADMIN alone, or CAP_BPF and CAP_PERFMON."""
    held = effective_capabilities()
    if held >> CAPABILITIES["CAP_SYS_ADMIN"] & 1:
        return ()
    return tuple(name for name in ("CAP_BPF", "CAP_PERFMON") if not held >> CAPABILITIES[name] & 1)


def require_privileges() -> None:
    """Raises PermissionDenied; where a capability is missing, with this command under sudo."""
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
    require_bpf_call()


def refused(what: str, error: Exception) -> PermissionDenied | None:
    """The error for a refusal that more privileges would fix; None: they would not."""
    if not missing_capabilities() and "not permitted" not in str(error):
        return None
    return PermissionDenied(
        f"The kernel does not let this user {what}.",
        why="BPF tracing needs root, or CAP_BPF and CAP_PERFMON, and a kernel that is not "
        "locked down.",
        paste="cat /sys/kernel/security/lockdown; sudo iotrace ...",
    )
