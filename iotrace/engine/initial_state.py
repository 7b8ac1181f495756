# SPDX-License-Identifier: Apache-2.0
"""A thread that sleeps when it is entered: what /proc says of it, as members of its record."""

from __future__ import annotations

import time
from collections.abc import Mapping

from iotrace.engine.constants import CALL_OTHER, CallFlag, State
from iotrace.engine.syscalls import CallSpec
from iotrace.procfs.stat import Stat
from iotrace.procfs.task import OUTSIDE, Blocked, TaskActivity
from iotrace.vocabulary.kinds import FILE_KINDS, PROBES_KINDS, Kind
from iotrace.vocabulary.waits import WAIT_REASONS

_KINDS = {kind.label: kind for kind in Kind} | PROBES_KINDS
_STOPPED = ("T", "t")
_READY = "R"


def asleep(
    activity: TaskActivity | None,
    stat: Stat,
    specs: Mapping[int, CallSpec],
    kinds: Mapping[int, str],
    *,
    frozen: bool = False,
) -> dict[str, int]:
    """The members to set, in this order: the last is its state. None for a thread that runs.

    ``specs``: the listed system calls by number. ``kinds``: of the process's descriptors, that of
    ``descriptor_of`` at least. ``frozen``: its control group is, wherever it was before.
    """
    if stat.state in _STOPPED or frozen:
        return _outside("signal", State.USER)
    if isinstance(activity, Blocked):
        return _blocked(activity, specs.get(activity.number), kinds)
    if activity is None and stat.state != _READY:  # in a call, but nobody tells in which
        return _outside("other", State.KERNEL)
    if activity is not OUTSIDE:
        return {}
    return _outside("uring", State.KERNEL) if stat.io_worker else _outside("fault", State.USER)


def descriptor_of(activity: TaskActivity | None, specs: Mapping[int, CallSpec]) -> int | None:
    """The descriptor of the call that a thread sleeps in; None: it has none."""
    spec = specs.get(activity.number) if isinstance(activity, Blocked) else None
    if spec is None or spec.fd < 0 or not isinstance(activity, Blocked):
        return None
    return _signed(activity.args[spec.fd])


def _outside(reason: str, resume_state: State) -> dict[str, int]:
    """Asleep in no system call, or in none that is known."""
    return {
        "resume_state": resume_state,
        "sleep_class": WAIT_REASONS.index(reason),
        "state": State.SLEEP,
    }


def _blocked(blocked: Blocked, spec: CallSpec | None, kinds: Mapping[int, str]) -> dict[str, int]:
    """Asleep in a system call."""
    kind, fd = Kind.NONE, -1
    if spec is not None and spec.fd >= 0:
        fd = _signed(blocked.args[spec.fd])
        kind = _KINDS.get(kinds[fd], Kind.ANON) if fd in kinds else Kind.NONE
    sleeps = spec is not None and spec.nfds >= 0 and not blocked.args[spec.nfds]
    if sleeps:
        kind = Kind.NO_FDS
    wait = WAIT_REASONS.index("sleep") if sleeps else _wait_class(spec, kind)
    return {
        "call_entry_ns": time.monotonic_ns(),
        "resume_state": State.KERNEL,
        "sleep_class": wait,
        "in_call": 1,
        "from_proc": 1,
        "proc_number": blocked.number,
        "call_class": wait,
        "call_kind": kind,
        "call_nr": blocked.number if spec is not None else CALL_OTHER,
        "call_flags": spec.flags if spec is not None else 0,
        "call_fd": fd,
        "call_loop": spec.loop if spec is not None and not sleeps else 0,
        "state": State.SLEEP,
    }


def _signed(register: int) -> int:
    value = register & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _wait_class(spec: CallSpec | None, kind: Kind) -> int:
    if spec is None:
        return WAIT_REASONS.index("other")
    if spec.wait is not None:
        return WAIT_REASONS.index(spec.wait)
    if kind in FILE_KINDS:
        return WAIT_REASONS.index("file")
    return WAIT_REASONS.index("send" if spec.flags & CallFlag.OUT else "recv")
