# SPDX-License-Identifier: Apache-2.0
"""May this user trace: each capability by name, lockdown, the settings that refuse."""

from __future__ import annotations

import re
from pathlib import Path

from iotrace.doctor import suggested_commands
from iotrace.doctor.check import Check, degraded, missing, ok
from iotrace.engine.perf_events import MOST_PARANOID, paranoia
from iotrace.privileges.capabilities import CAPABILITIES, effective_capabilities
from iotrace.privileges.syscall_filter import BPF, ROOTFUL, in_user_namespace, is_filtered

_BPF_CALL = "bpf(2)"
_NEEDED = (
    ("CAP_BPF", "to load and attach the probes"),
    ("CAP_PERFMON", "for the probes to read the kernel's memory"),
)
_OTHERS = "other users' Python lines, descriptors, and the calls they are in at attach"
_USEFUL = (
    ("CAP_SYS_PTRACE", _OTHERS),
    ("CAP_DAC_READ_SEARCH", _OTHERS),
)


def checks() -> tuple[Check, ...]:
    """All of them."""
    return (
        *_capabilities(effective_capabilities()),
        _bpf_call(),
        _lockdown(),
        _unprivileged(),
        _paranoid(),
    )


def _capabilities(held: int) -> tuple[Check, ...]:
    """Of ``held``, a mask as in CapEff; CAP_SYS_ADMIN stands for both of the needed ones."""

    def has(name: str) -> bool:
        return bool(held >> CAPABILITIES[name] & 1)

    admin = has("CAP_SYS_ADMIN")
    answers = []
    for name, purpose in _NEEDED:
        if has(name):
            answers.append(ok(name, purpose))
        elif admin:
            answers.append(ok(name, f"{purpose} (CAP_SYS_ADMIN holds it)"))
        else:
            answers.append(
                missing(name, f"not held; needed {purpose}", suggested_commands.PRIVILEGES)
            )
    for name, purpose in _USEFUL:
        if has(name):
            answers.append(ok(name, f"to see {purpose}"))
        else:
            answers.append(degraded(name, "not held", purpose, suggested_commands.PRIVILEGES))
    return tuple(answers)


def _bpf_call() -> Check:
    """Whether something else than a missing capability refuses the call."""
    if in_user_namespace():
        return missing(
            _BPF_CALL,
            "refused in a user namespace (a rootless container): its capabilities do not count",
            suggested_commands.everywhere(ROOTFUL),
        )
    if is_filtered(BPF):
        return missing(
            _BPF_CALL,
            "a seccomp filter refuses it, whatever the capabilities: a container engine's default",
            suggested_commands.SECCOMP,
        )
    return ok(_BPF_CALL, "no seccomp filter refuses it")


def parse_lockdown(text: str) -> str:
    """The chosen one of ``none [integrity] confidentiality`` (man kernel_lockdown(7))."""
    chosen = re.search(r"\[(\w+)\]", text)
    return chosen[1] if chosen else "none"


def _lockdown(path: Path = Path("/sys/kernel/security/lockdown")) -> Check:
    try:
        mode = parse_lockdown(path.read_text())
    except OSError:
        return ok("lockdown", "none: this kernel has no lockdown")
    if mode == "confidentiality":
        return missing(
            "lockdown",
            "confidentiality: the kernel lets no probe read its memory",
            suggested_commands.everywhere(
                "mokutil --disable-validation  # or boot without lockdown="
            ),
        )
    return ok("lockdown", mode)


def _unprivileged(path: Path = Path("/proc/sys/kernel/unprivileged_bpf_disabled")) -> Check:
    """Only for the record: who looks for the cause of a refusal looks here, too."""
    try:
        value = path.read_text().strip()
    except OSError:
        value = "unknown"
    return ok("unprivileged_bpf_disabled", f"{value} (does not matter: CAP_BPF decides)")


def _paranoid() -> Check:
    """Whether it is in the way is tried: see ``kernel.py``, the CPU clock."""
    level = paranoia()
    told = "unknown" if level < 0 else str(level)
    if level > MOST_PARANOID:
        return ok("perf_event_paranoid", f"{told} (may keep CAP_PERFMON from the CPU clock)")
    return ok("perf_event_paranoid", f"{told} (does not matter: CAP_PERFMON decides)")
