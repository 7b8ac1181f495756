# SPDX-License-Identifier: Apache-2.0
"""Calls that fail again and again: a resource that is used up, a peer that refuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from iotrace.report.model import Call
from iotrace.report.stacks import Line
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines
from iotrace.verdict.retry_pauses import pauses_between
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, wastes_its_cpu
from iotrace.verdict.told_lines import ToldLine
from iotrace.vocabulary.calls import ACCEPTS, CONNECTS, FILE_WATCHES, OTHER
from iotrace.vocabulary.kinds import FILES, Kind

LEAST_EXHAUSTED = 3
"""Failures for want of a resource: one may be a passing peak."""
FAILURES_PER_SECOND = 1_000
"""A call that goes on and on failing; a server that probes for files makes some hundred."""
LEAST_FAILED = 500
"""A program that starts looks for its files in many places, within milliseconds."""
FAILED_SHARE = 0.5
"""Of the calls of this name on this kind of descriptor."""
CPU_SHARE = 0.02
"""Of one CPU, that the failing calls take at least."""
REFUSED_PER_SECOND = 1
LEAST_REFUSED = 5

_EXHAUSTED = {
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
_REFUSED = frozenset(("ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ETIMEDOUT"))
_NO_ERRORS = frozenset(
    ("EAGAIN", "EINPROGRESS", "EALREADY", "EISCONN", "EINTR", "ETIMEDOUT", "ERESTARTSYS",
     "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK", "ERESTARTNOINTR", "ECHILD", "ENOTTY")
)  # fmt: skip
"""What is told this way is how things stand: not yet, a timeout is over, a signal has come, no
terminal."""
_EXPECTED = {
    "ENOENT": ("epoll_ctl", "openat"),
    "EEXIST": ("epoll_ctl",),
    "EBADF": ("epoll_ctl",),
    "ENOTDIR": ("openat",),
    "EISDIR": ("read",),
}
"""How libraries find out whether something is there."""
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
    for error, what in _EXHAUSTED.items():
        rows = [one for one in profile.process.calls if (one.errors or {}).get(error)]
        failed = sum(_count(one, error) for one in rows)
        if failed < LEAST_EXHAUSTED:
            continue
        if all(one.syscall in FILE_WATCHES for one in rows):
            yield _watches(profile, rows, error, failed)
            continue
        worst = max(rows, key=lambda one: (one.syscall in ACCEPTS, _count(one, error)))
        file = _file(profile, worst) if error in _NO_ROOM else ""
        to = f" to {file}" if file else ""
        waits = " and clients wait to be accepted" if worst.syscall in ACCEPTS else ""
        yield Hit(
            _evidence(profile, worst, error, failed)
            | _pending(profile, worst)
            | ({"path": file} if file else {}),
            _cpu_ns(profile, rows, error),
            worst.tid or None,
            severity="high",
            lines=_places(profile, worst),
            title=f"{_named(worst)}{to} fails with {error}: {what}{waits}",
            advice=_ADVICE.get(error, ""),
        )


def _named(call: Call) -> str:
    return "a call" if call.syscall == OTHER else call.syscall


def _watches(profile: ProcessProfile, rows: Sequence[Call], error: str, failed: int) -> Hit:
    """Descriptors are left where no other call fails for want of one."""
    worst = max(rows, key=lambda one: _count(one, error))
    watching = [one for one in profile.process.lines if one.kind == Kind.INOTIFY.label]
    return Hit(
        _evidence(profile, worst, error, failed) | {"calls": sum(one.calls or 0 for one in rows)},
        _cpu_ns(profile, rows, error),
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


def _failing(profile: ProcessProfile) -> Iterator[Hit]:
    for row in profile.process.calls:
        for error, count in (row.errors or {}).items():
            if error in _EXHAUSTED or count < FAILED_SHARE * (row.calls or 0):
                continue
            if row.syscall in CONNECTS and error in _REFUSED:
                if _refused_often(profile, count):
                    yield _refused(profile, row, error)
            elif _goes_on_failing(profile, row, error):
                cost = _cpu_ns(profile, [row], error)
                if cost >= CPU_SHARE * profile.wall_ns:
                    yield Hit(
                        _evidence(profile, row, error, count),
                        cost,
                        row.tid or None,
                        lines=busy_lines(profile.process, row.tid),
                    )


def _refused_often(profile: ProcessProfile, count: int) -> bool:
    return count >= LEAST_REFUSED and profile.per_second(count) >= REFUSED_PER_SECOND


def _refused(profile: ProcessProfile, row: Call, error: str) -> Hit:
    count = _count(row, error)
    peers = [one.peer for one in profile.process.descriptors if one.kind == row.kind and one.peer]
    to = {"peer": max(peers, key=peers.count)} if peers else {}
    made = [one for one in profile.process.lines if _is_of(row, one)]
    pauses = pauses_between(row, count, profile)
    return Hit(
        {**_evidence(profile, row, error, count), **to},
        _cpu_ns(profile, [row], error) + pauses.waited_ns,
        row.tid or None,
        severity="medium",
        lines=calling_lines(made) or pauses.lines,
        title=f"Connections are refused: connect fails with {error}{pauses.words}",
        advice="Nothing listens there, or a firewall refuses: check the address, the port and "
        "whether that service runs (ss -ltn on its host). Wait longer after each failure "
        "(exponential backoff).",
    )


def _goes_on_failing(profile: ProcessProfile, row: Call, error: str) -> bool:
    return (
        error not in _NO_ERRORS
        and row.syscall not in _EXPECTED.get(error, ())
        and _count(row, error) >= LEAST_FAILED
        and profile.per_second(_count(row, error)) >= FAILURES_PER_SECOND
    )


def _evidence(
    profile: ProcessProfile, row: Call, error: str, failed: int
) -> dict[str, float | int | str]:
    return {
        "call": row.syscall,
        "error": error,
        "failed": failed,
        "failed_per_second": round(profile.per_second(failed), 1),
        "calls": row.calls or 0,
    }


def _places(profile: ProcessProfile, row: Call) -> tuple[ToldLine, ...]:
    """Where its thread makes such calls, if one of them took long; else what it does at all."""
    slow = [one for one in profile.process.lines if _is_of(row, one)]
    return calling_lines(slow) or busy_lines(profile.process, row.tid)


def _is_of(row: Call, line: Line) -> bool:
    return (line.tid, line.syscall) == (row.tid, row.syscall)


def _pending(profile: ProcessProfile, row: Call) -> dict[str, int]:
    sockets = profile.process.sockets
    if row.syscall not in ACCEPTS or sockets is None or sockets.pending is None:
        return {}
    return {"connections_not_accepted": sockets.pending}


def _cpu_ns(profile: ProcessProfile, rows: Iterable[Call], error: str) -> int:
    """The CPU time of their threads, by the share of their calls that failed so."""
    cost = 0.0
    for row in rows:
        seen = profile.threads.get(row.tid)
        if seen is not None:
            cost += seen.cpu_ns * _count(row, error) / max(1, seen.syscalls)
    return int(cost)


def _count(row: Call, error: str) -> int:
    return (row.errors or {}).get(error, 0)


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
)  # fmt: skip
FAILING = Rule(
    "IO131",
    "A call fails at a high rate",
    "Find out why it fails (the man page of the call has each error), and do not try again at "
    "once: back off, or stop.",
    _failing,
    explains={
        "IO103": always,
        "IO106": always,
        "IO112": wastes_its_cpu,
        "IO132": always,
        "IO133": always,
    },
)
