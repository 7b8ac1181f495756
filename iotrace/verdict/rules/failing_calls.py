# SPDX-License-Identifier: Apache-2.0
"""Calls that fail again and again: an error that nobody looks at, a peer that refuses."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Call
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.failures import (
    failure_count,
    failure_evidence,
    failures_cpu_ns,
    lines_of_calls,
)
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines
from iotrace.verdict.retry_pauses import pauses_between
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, wastes_its_cpu
from iotrace.verdict.rules.used_up import EXHAUSTED_BY
from iotrace.verdict.upstreams import connecting_lines
from iotrace.vocabulary.calls import CONNECTS

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


def _failing(profile: ProcessProfile) -> Iterator[Hit]:
    for row in profile.process.calls:
        for error, count in (row.errors or {}).items():
            if error in EXHAUSTED_BY or count < FAILED_SHARE * (row.calls or 0):
                continue
            if row.syscall in CONNECTS and error in _REFUSED:
                if _refused_often(profile, count):
                    yield _refused(profile, row, error)
            elif _goes_on_failing(profile, row, error):
                cost = failures_cpu_ns(profile, [row], error)
                if cost >= CPU_SHARE * profile.wall_ns:
                    yield Hit(
                        failure_evidence(profile, row, error, count),
                        cost,
                        row.tid or None,
                        lines=busy_lines(profile.process, row.tid),
                    )


def _refused_later(profile: ProcessProfile) -> Iterator[Hit]:
    """A connect that does not wait is refused after it has returned: loops, greenlets, timeouts."""
    waits = [
        row
        for row in profile.process.calls
        if row.syscall in CONNECTS and (row.errors or {}).get("EINPROGRESS")
    ]
    told = sum((row.errors or {}).get(error, 0) for row in profile.process.calls
               for error in _REFUSED if row.syscall in CONNECTS)  # fmt: skip
    failed = max(1, sum(one.connect_errors for one in profile.process.upstreams))
    for peer in profile.process.upstreams:
        made = peer.connect_ns.count if peer.connect_ns else 0
        fails = peer.connect_errors >= FAILED_SHARE * (peer.connect_errors + made)
        if waits and not told and fails and _refused_often(profile, peer.connect_errors):
            row = max(waits, key=lambda one: one.calls or 0)
            yield Hit(
                {
                    "call": row.syscall,
                    "failed": peer.connect_errors,
                    "failed_per_second": round(profile.per_second(peer.connect_errors), 1),
                    "peer": peer.peer,
                },
                failures_cpu_ns(profile, waits, "EINPROGRESS") * peer.connect_errors // failed,
                row.tid or None,
                severity="medium",
                lines=connecting_lines(profile, peer.peer),
                title=f"No connection to {peer.peer} comes about: "
                f"{plural(peer.connect_errors, 'attempt')} failed, most likely refused",
                advice=_NOBODY_LISTENS,
            )


def _refused_often(profile: ProcessProfile, count: int) -> bool:
    return count >= LEAST_REFUSED and profile.per_second(count) >= REFUSED_PER_SECOND


def _refused(profile: ProcessProfile, row: Call, error: str) -> Hit:
    count = failure_count(row, error)
    peers = [one for one in profile.process.upstreams if row.kind in ("", one.kind)]
    refusing = max(peers, key=lambda one: one.connect_errors, default=None)
    to = {"peer": refusing.peer} if refusing and refusing.connect_errors else {}
    pauses = pauses_between(row, count, profile)
    return Hit(
        {**failure_evidence(profile, row, error, count), **to},
        failures_cpu_ns(profile, [row], error) + pauses.waited_ns,
        row.tid or None,
        severity="medium",
        lines=calling_lines(lines_of_calls(profile, row)) or pauses.lines,
        title=f"Connections are refused: connect fails with {error}{pauses.words}",
        advice=_NOBODY_LISTENS,
    )


def _goes_on_failing(profile: ProcessProfile, row: Call, error: str) -> bool:
    return (
        error not in _NO_ERRORS
        and row.syscall not in _EXPECTED.get(error, ())
        and failure_count(row, error) >= LEAST_FAILED
        and profile.per_second(failure_count(row, error)) >= FAILURES_PER_SECOND
    )


_NOBODY_LISTENS = (
    "Nothing listens there, or a firewall refuses: check the address, the port and whether that "
    "service runs (ss -ltn on its host). Wait longer after each failure (exponential backoff)."
)


def _all(profile: ProcessProfile) -> Iterator[Hit]:
    yield from _failing(profile)
    yield from _refused_later(profile)


FAILING = Rule(
    "IO131",
    "A call fails at a high rate",
    "Find out why it fails (the man page of the call has each error), and do not try again at "
    "once: back off, or stop.",
    _all,
    explains={
        "IO103": always,
        "IO106": always,
        "IO112": wastes_its_cpu,
        "IO132": always,
        "IO133": always,
    },
    cost=Cost.TIME,
)
