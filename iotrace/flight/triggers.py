# SPDX-License-Identifier: Apache-2.0
"""What makes a flight recorder write: conditions on the report of an interval, or a signal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from iotrace.report.model import Report

_RULE = re.compile(r"IO\d{3}\Z")
SIGNAL = "SIGUSR1"


@dataclass(frozen=True, slots=True)
class Condition:
    """``words``: as it was asked for. ``fired`` says what of a report fulfils it; "": nothing."""

    words: str
    fired: Callable[[Report], str]


def parse_condition(words: str, nanoseconds: Callable[[str], int]) -> Condition:
    """One of "stall>200ms", "p99>500ms", "hang>5s", "finding:IO103", "SIGUSR1".

    ``nanoseconds`` reads a length of time. Raises ValueError for anything else.
    """
    if words == SIGNAL:
        return Condition(words, lambda report: "")
    kind, separator, rest = words.partition(">")
    if separator and kind in _MEASURES:
        limit_ns = nanoseconds(rest)
        measure = _MEASURES[kind]
        return Condition(words, lambda report: measure(report, limit_ns))
    kind, separator, rule = words.partition(":")
    if separator and kind == "finding" and _RULE.match(rule):
        return Condition(words, lambda report: _found(report, rule))
    raise ValueError(words)


def _stall(report: Report, limit_ns: int) -> str:
    """An iteration of a loop that took longer: by the edge of its histogram's bucket."""
    for process in report.processes:
        for loop in process.loops:
            for _, to_ns, count in loop.busy_ns.histogram if loop.busy_ns else ():
                if count and to_ns > limit_ns:
                    return f"an iteration of thread {loop.tid} of process {process.pid}"
    return ""


def _p99(report: Report, limit_ns: int) -> str:
    for process in report.processes:
        for requests in process.requests:
            if requests.latency_ns is not None and requests.latency_ns.p99 > limit_ns:
                return f"requests on {requests.listener} of process {process.pid}"
    return ""


def _hang(report: Report, limit_ns: int) -> str:
    for process in report.processes:
        for requests in process.requests:
            if (requests.oldest_unanswered_ns or 0) > limit_ns:
                return f"a request on {requests.listener} of process {process.pid} is unanswered"
    return ""


def _found(report: Report, rule: str) -> str:
    for finding in report.findings:
        if finding.id == rule:
            return f"{finding.title} (process {finding.pid})"
    return ""


_MEASURES: dict[str, Callable[[Report, int], str]] = {
    "stall": _stall,
    "p99": _p99,
    "hang": _hang,
}
MEASURES = tuple(_MEASURES)
"""What can be compared with a length of time."""


@dataclass(slots=True)
class Triggers:
    """The conditions, and whether the signal has come since it was last asked."""

    conditions: tuple[Condition, ...]
    _asked: bool = field(default=False)

    def on_signal(self, number: int, signal_number: int) -> bool:
        """Whether a signal ends the trace; the one that asks for a dump does not."""
        if number == signal_number and any(one.words == SIGNAL for one in self.conditions):
            self._asked = True
            return False
        return True

    def fired(self, report: Report) -> str:
        """The first condition that is fulfilled, and by what; "": none is."""
        if self._asked:
            self._asked = False
            return SIGNAL
        return next(_explained(self.conditions, report), "")


def _explained(conditions: Iterable[Condition], report: Report) -> Iterator[str]:
    for condition in conditions:
        what = condition.fired(report)
        if what:
            yield f"{condition.words}: {what}"
