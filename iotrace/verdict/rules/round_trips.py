# SPDX-License-Identifier: Apache-2.0
"""Calls of another process that are quick each, and so many that they take most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iotrace.report.requests import Upstream
from iotrace.report.times import Durations
from iotrace.verdict.cpu_samples import asking_share, busy_lines
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import calling_lines, waiting_lines
from iotrace.verdict.request_time import FELT_NS, Whole, service_of, whole_of
from iotrace.verdict.rules.rule import Hit, Rule, always, of_the_same_peer
from iotrace.verdict.told_lines import ToldLine
from iotrace.verdict.upstreams import lines_on
from iotrace.verdict.work_sources import mostly_for_work

LEAST_CALLS = 500
QUICK_NS = 2_000_000
"""Half of the answers take no longer: the peer is quick, the number is the matter. Slow ones are
IO119's."""
WAITED_SHARE = 0.3
"""Of the time that requests take, waiting for these answers and until they were read; of the time
traced in a process that serves nobody."""
ASKING_SHARE = 0.5
"""Of the time that requests take, but for waits for a CPU, the GIL or a lock: those waits and the
CPU time of asking, which goes with the questions: an ORM takes longer than the answer does."""
LEAST_WAITED_SHARE = 0.1
"""Then these waits alone: the CPU time is of lines, which may do other things as well."""
CALLS_PER_REQUEST = 20.0
"""Of a process that serves: a loop over rows that asks for each."""
CALLS_PER_SECOND = 500
"""Of one that serves nobody."""
_ON_CPU = ("user", "kernel", "copy")
_CONTENDED = ("runq", "gil", "lock")
_MANAGER = "/pymp-"
"""In the path of the socket that a multiprocessing.Manager listens on."""
FEW_SHARE = 0.1
"""Of what was waited, in the lines that are known: their figures would say little of it."""


def _round_trips(profile: ProcessProfile) -> Iterator[Hit]:
    for upstream in profile.process.upstreams:
        theirs = upstream.theirs_ns
        if theirs is None or theirs.count < LEAST_CALLS or theirs.p50 > QUICK_NS:
            continue
        cost = _cost(upstream, theirs, profile)
        if cost.is_high and _is_many(theirs.count, profile):
            rows = [one for one in profile.process.descriptors if one.peer == upstream.peer]
            lines = lines_on(profile, rows)
            if not mostly_for_work(lines):
                few = sum(one.wait_ns for one in lines) < FEW_SHARE * cost.waited_ns
                # Of quick calls only a few were slow enough to be timed by line.
                slow = calling_lines(lines) if few else waiting_lines(lines, profile.process)
                yield _hit(upstream, cost, busy_lines(profile.process) or slow, profile)


@dataclass(frozen=True, slots=True)
class _Cost:
    """``waited_ns``: for answers, and until they were read, of ``whole``. ``asking_ns``: that and
    the CPU time of asking, an estimate, of ``working_ns``; 0 if it is not known."""

    waited_ns: int
    whole: Whole
    asking_ns: int = 0
    working_ns: int = 0

    @property
    def is_high(self) -> bool:
        """The waits alone are, or together with the CPU time."""
        return self.waited_ns >= WAITED_SHARE * self.whole.ns or self.asks_long

    @property
    def asks_long(self) -> bool:
        """With the CPU time it is most of what requests take."""
        return (
            self.waited_ns >= LEAST_WAITED_SHARE * self.whole.ns
            and self.asking_ns >= ASKING_SHARE * self.working_ns > 0
        )


def _cost(upstream: Upstream, theirs: Durations, profile: ProcessProfile) -> _Cost:
    """The time that requests take between their first read and their answer does not depend on
    how many there are."""
    after = upstream.pickup_states_ns
    waited = total_ns(theirs) + sum(after.values())
    requests, service = service_of(profile)
    whole = whole_of(waited, profile)
    if not FELT_NS * requests <= waited <= service.total():
        return _Cost(waited, whole)
    cpu = round(asking_share(profile.process) * sum(service[state] for state in _ON_CPU))
    asking = waited - sum(after.get(state, 0) for state in (*_ON_CPU, *_CONTENDED)) + cpu
    working = service.total() - sum(service[state] for state in _CONTENDED)
    return _Cost(waited, whole, min(asking, working) if cpu else 0, working)


def _is_many(calls: int, profile: ProcessProfile) -> bool:
    served = _served(profile)
    if served:
        return calls >= CALLS_PER_REQUEST * served
    return profile.per_second(calls) >= CALLS_PER_SECOND


def _served(profile: ProcessProfile) -> int:
    return sum(one.exchanges for one in profile.process.requests)


def _hit(
    upstream: Upstream, cost: _Cost, lines: tuple[ToldLine, ...], profile: ProcessProfile
) -> Hit:
    assert upstream.theirs_ns
    calls, served = upstream.theirs_ns.count, _served(profile)
    manager = _MANAGER in upstream.peer
    evidence: dict[str, float | int | str] = {
        "peer": upstream.peer,
        "round_trips": calls,
        "round_trips_per_second": round(profile.per_second(calls)),
        "answer_p50_ns": upstream.theirs_ns.p50,
        "waited_ns": cost.waited_ns,
    }
    each = ""
    taken = f"{share(cost.waited_ns, cost.whole.ns)} of the time"
    if cost.whole.requests:
        evidence["service_ns"] = cost.whole.ns
        taken += " that requests take"
    if cost.asks_long:
        evidence["asking_ns"] = cost.asking_ns
        of_work = share(cost.asking_ns, cost.working_ns)
        taken += f"; with the CPU time of asking that is about {of_work}"
    if served:
        evidence["round_trips_per_request"] = round(calls / served, 1)
        each = f", {calls / served:,.0f} for each request"
    of = "the process of a multiprocessing.Manager" if manager else upstream.peer
    return Hit(
        evidence,
        cost.waited_ns,
        whole=cost.whole,
        severity="medium",
        lines=lines,
        title=f"Many small round trips: {calls:,} calls to {of}{each}, "
        f"half of them answered within {duration(upstream.theirs_ns.p50)}, are waited for {taken}",
        advice=_PROXIES if manager else "",
    )


_PROXIES = (
    "Each access to an object of a multiprocessing.Manager asks its one process, over a socket, "
    "and all workers stand in line there. Read what is needed once (dict(proxy)), work on that, "
    "and give back the results in one call (proxy.update(...), or the return values of a pool's "
    "map); for numbers use multiprocessing.Value, Array or shared_memory, which need no process."
)
MANY = Rule(
    "IO162",
    "Many small round trips to another process take most of the time",
    "Ask for more at once: one query with IN or a JOIN in place of one for each row (an ORM: "
    "select_related, selectinload), executemany, MGET or a pipeline of Redis, a batch call; keep "
    "what does not change. A peer nearer by helps little.",
    _round_trips,
    explains={"IO119": of_the_same_peer, "IO105": always},
)
