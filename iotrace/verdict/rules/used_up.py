# SPDX-License-Identifier: Apache-2.0
"""Calls that fail for want of a resource: descriptors, room, memory, ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.report.model import Call
from iotrace.verdict.failures import (
    failure_count,
    failure_evidence,
    failures_cpu_ns,
    lines_of_calls,
    places_of_calls,
)
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines
from iotrace.verdict.rules.rule import Cost, Hit, Rank, Rule, always
from iotrace.vocabulary.calls import ACCEPTS, FILE_WATCHES, OTHER
from iotrace.vocabulary.kinds import FILES, Kind

LEAST_EXHAUSTED = 3
"""Failures for want of a resource: one may be a passing peak."""
EXHAUSTED_BY = {
    "EMFILE": "out of file descriptors (its limit, RLIMIT_NOFILE)",
    "ENFILE": "the system is out of file descriptors",
    "ENOSPC": "no space left on the device",
    "EDQUOT": "the disk quota is used up",
    "ENOMEM": "out of memory",
    "ENOBUFS": "out of buffer space",
    "EADDRNOTAVAIL": "no local port or address left",
}
_OF_WATCHES = {
    "EMFILE": "the user has as many inotify instances as allowed (fs.inotify.max_user_instances)",
    "ENOSPC": "the user watches as many files as allowed (fs.inotify.max_user_watches)",
}
"""The same errors of calls that watch files (inotify(7)): limits of their own."""
_NO_ROOM = frozenset(("ENOSPC", "EDQUOT"))
_FILES = (
    "Raise the limit of open files (ulimit -n; LimitNOFILE= of the systemd unit; docker run "
    "--ulimit nofile=), and find what keeps them open: ls -l /proc/PID/fd. Limit the "
    "connections that are taken (uvicorn --limit-concurrency, a Semaphore), close idle ones."
)
_ADVICE = {
    "EMFILE": _FILES,
    "ENFILE": "Raise fs.file-max, and find the process that has so many files open: lsof.",
    "ENOSPC": "Free some room: df -h, df -i tell which file system is full.",
    "EDQUOT": "Free some room or raise the quota: quota -s.",
    "EADDRNOTAVAIL": "Keep connections open and use them again (a client or pool that lives as "
    "long as the program): each that is closed occupies its local port for another minute.",
}
_WATCHES = (
    "Watch with one instance for the whole program (watchdog: one Observer, schedule() for each "
    "folder) and close those that are done with (observer.stop()); do not make one for each "
    "request or wait. All processes of a user share the limits: `find /proc/*/fd -lname "
    "'anon_inode:inotify'` shows who has some. Raise them: sysctl fs.inotify.max_user_instances "
    "(128 unless told) and max_user_watches."
)


def _exhausted(profile: ProcessProfile) -> Iterator[Hit]:
    for error, what in EXHAUSTED_BY.items():
        rows = [one for one in profile.process.calls if (one.errors or {}).get(error)]
        failed = sum(failure_count(one, error) for one in rows)
        if failed < LEAST_EXHAUSTED:
            continue
        if all(one.syscall in FILE_WATCHES for one in rows):
            yield _watches(profile, rows, error, failed)
            continue
        worst = max(rows, key=lambda one: (one.syscall in ACCEPTS, failure_count(one, error)))
        file = _file(profile, worst) if error in _NO_ROOM else ""
        to = f" to {file}" if file else ""
        waits = " and clients wait to be accepted" if worst.syscall in ACCEPTS else ""
        yield Hit(
            failure_evidence(profile, worst, error, failed)
            | _pending(profile, worst)
            | _opened(profile, worst, error)
            | ({"path": file} if file else {}),
            failures_cpu_ns(profile, rows, error),
            worst.tid or None,
            severity="high",
            lines=places_of_calls(profile, worst),
            title=f"{_named(worst)}{to} fails with {error}: {what}{waits}",
            advice=_ADVICE.get(error, ""),
        )


def _opened(profile: ProcessProfile, call: Call, error: str) -> dict[str, int | str]:
    """What it was last to open when there was no descriptor left, and how many it has."""
    limits = profile.process.limits
    if error != "EMFILE" or limits is None or limits.open_files is None:
        return {}
    lines = [one for one in lines_of_calls(profile, call) if one.path]
    most = max(lines, key=lambda one: one.calls, default=None)
    return {
        **({"one_that_it_opens": most.path} if most else {}),
        "open_files": limits.open_files,
        **({"most_open_files": limits.most_open_files} if limits.most_open_files else {}),
    }


def _named(call: Call) -> str:
    return "a call" if call.syscall == OTHER else call.syscall


def _watches(profile: ProcessProfile, rows: Sequence[Call], error: str, failed: int) -> Hit:
    """Descriptors are left where no other call fails for want of one."""
    worst = max(rows, key=lambda one: failure_count(one, error))
    watching = [one for one in profile.process.lines if one.kind == Kind.INOTIFY.label]
    return Hit(
        failure_evidence(profile, worst, error, failed)
        | {"calls": sum(one.calls or 0 for one in rows)},
        failures_cpu_ns(profile, rows, error),
        worst.tid or None,
        severity="high",
        lines=calling_lines(watching),
        title=f"{worst.syscall} fails with {error}: {_OF_WATCHES.get(error, error)}",
        advice=_WATCHES,
    )


def _file(profile: ProcessProfile, call: Call) -> str:
    """The file that such calls most likely failed on: of those that took no bytes, or else of all,
    the one that was used most often."""
    rows = [
        one
        for one in profile.process.descriptors
        if one.kind == call.kind and one.kind in FILES and one.local and one.calls
    ]
    none_taken = [one for one in rows if not one.bytes_out]
    most = max(none_taken or rows, key=lambda one: one.calls or 0, default=None)
    return most.local if most else ""


def _pending(profile: ProcessProfile, row: Call) -> dict[str, int]:
    sockets = profile.process.sockets
    if row.syscall not in ACCEPTS or sockets is None or sockets.pending is None:
        return {}
    return {"connections_not_accepted": sockets.pending}


EXHAUSTED = Rule(
    "IO130",
    "A resource is used up: calls fail for want of it",
    "Raise the limit, or use less of it; the man page of the call tells what the error means.",
    _exhausted,
    explains={
        "IO103": always, "IO104": always, "IO105": always, "IO106": always, "IO112": always,
        "IO120": always,
        "IO131": always, "IO132": always, "IO133": always,
    },
    rank=Rank.STUCK,
    cost=Cost.CPU,
)  # fmt: skip
