# SPDX-License-Identifier: Apache-2.0
"""sleep() between reading a request and answering it."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always

LEAST_SHARE = 0.05
"""Of the time of the threads that serve."""
SLEEPS_PER_READ = 0.05


def _asleep(profile: ProcessProfile) -> Iterator[Hit]:
    serving = {
        tid: one
        for tid, one in profile.threads.items()
        if profile.styles[tid].role == "reader" and one.reads.ok and one.writes.ok
    }
    asleep = sum(one.sleeps.wait_ns for one in serving.values())
    sleeps = sum(one.sleeps.calls for one in serving.values())
    reads = sum(one.reads.ok for one in serving.values())
    lifetime = sum(one.lifetime_ns for one in serving.values())
    if asleep < LEAST_SHARE * max(1, min(lifetime, profile.wall_ns)):
        return
    if not sleeps or sleeps < SLEEPS_PER_READ * reads:
        return
    client = _is_client(profile)
    yield Hit(
        {
            "sleeps": sleeps,
            "asleep_ns": asleep,
            "mean_sleep_ns": asleep // sleeps,
            "reads": reads,
            "threads": len(serving),
        },
        asleep,
        next(iter(serving)) if len(serving) == 1 else None,
        lines=waiting_lines(
            (
                line
                for line in lines_of_category(profile.process, "sleeps")
                if line.tid in serving  # others may sleep as they like
            ),
            profile.process,
        ),
        severity="low" if client else None,
        title="Sleeps between its calls to other services" if client else "",
    )


def _is_client(profile: ProcessProfile) -> bool:
    """It accepts no connections, and all that it has it has opened itself: it serves nobody."""
    if profile.listening_ports() or profile.total.accepts.calls:
        return False
    outgoing = {(one.fd, one.kind) for one in profile.outgoing()}
    connections = [one for one in profile.connections() if one.kind == "tcp"]
    return bool(connections) and all((one.fd, one.kind) in outgoing for one in connections)


ASLEEP = Rule(
    "IO117",
    "Sleep in the request path: threads that serve call sleep",
    "Wait for the thing itself instead of for time to pass: Event.wait(), Condition.wait(), "
    "Queue.get(timeout), select() on the socket. For back-off, answer and let the client retry.",
    _asleep,
    explains={"IO105": always},
)
