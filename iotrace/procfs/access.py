# SPDX-License-Identifier: Apache-2.0
"""Why the kernel refuses a look into another process, and what would allow it.

Two checks are in the way: ptrace(2)'s (same user, or CAP_SYS_PTRACE) and that of the file's mode
(its user alone may read most of them, or CAP_DAC_READ_SEARCH).
"""

from __future__ import annotations

import os
from pathlib import Path

_DAC_OVERRIDE, _DAC_READ_SEARCH, _SYS_PTRACE = 1, 2, 19
"""include/uapi/linux/capability.h"""


def lacking(pid: int, root: str = "/proc") -> tuple[str, ...]:
    """The capabilities that looking into this process takes and that this one does not have."""
    held = _effective()
    names = []
    if not held >> _SYS_PTRACE & 1:
        names.append("CAP_SYS_PTRACE")
    if _is_others(pid, root) and not held & (1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH):
        names.append("CAP_DAC_READ_SEARCH")
    return tuple(names)


def why_refused(pid: int, root: str = "/proc") -> str:
    """The reason of a refusal, to follow a colon."""
    names = lacking(pid, root)
    if names:
        user = "another user's process" if _is_others(pid, root) else "a protected process"
        return f"looking into {user} takes {' and '.join(names)}"
    return (
        "the process is in a user namespace where this user's capabilities do not count, or a "
        "security module (AppArmor, SELinux, Yama) protects it"
    )


def _effective() -> int:
    for line in Path("/proc/self/status").read_bytes().splitlines():
        if line.startswith(b"CapEff:"):
            return int(line.split()[1], 16)
    return 0


def _is_others(pid: int, root: str) -> bool:
    try:
        return Path(root, str(pid)).stat().st_uid != os.geteuid()
    except OSError:
        return False
