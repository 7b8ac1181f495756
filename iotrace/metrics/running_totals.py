# SPDX-License-Identifier: Apache-2.0
"""Adds up the reports of intervals: what is counted grows for ever, what is measured is the last.

Pure: it takes reports and gives samples. Counts of a group go when none of its processes has been
seen for a while, so that containers that come and go leave nothing behind.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from iotrace.metrics import catalogue as metrics
from iotrace.metrics.catalogue import Metric
from iotrace.metrics.exponential import index_of
from iotrace.metrics.groups import OTHER, Group
from iotrace.report.model import Bucket, Loop, Process, Report, SlowRequest, States

EDGES_NS = tuple(1 << power for power in (*range(20, 31), 32))
"""Upper edges of a histogram's buckets, 1 ms to 1.1 s and 4.3 s: powers of two, which are edges of
the report's own histograms, so that nothing is estimated. Each is a series of every program."""
MOST_GROUPS = 256
KEPT_INTERVALS = 30
"""A group of which no process was seen for so many intervals is forgotten."""

Labels: TypeAlias = tuple[str, ...]
Key: TypeAlias = "tuple[Metric, Labels]"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One request that was slow: the line and the system call of the longest wait in it."""

    value_ns: int
    line: str
    call: str


@dataclass(slots=True)
class Histogram:
    """Counts below each of ``EDGES_NS`` (not added up), and above the last one.

    ``exponential``: the same by the finer buckets of exponential.py. ``exemplars``: by the place of
    their bucket in ``counts``, the last one of each; ``fresh``: those of the last interval alone.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(EDGES_NS) + 1))
    sum_ns: int = 0
    exponential: Counter[int] = field(default_factory=Counter)
    exemplars: dict[int, Exemplar] = field(default_factory=dict)
    fresh: dict[int, Exemplar] = field(default_factory=dict)

    def add(self, buckets: Iterable[Bucket], sum_ns: int | None = None) -> None:
        """Each bucket lies between two edges. ``sum_ns`` None: each is taken at its middle, so that
        the sum is within 4 %."""
        estimated_ns = 0
        for from_ns, to_ns, count in buckets:
            self.counts[bisect_left(EDGES_NS, to_ns)] += count
            self.exponential[index_of(from_ns, to_ns)] += count
            estimated_ns += (from_ns + to_ns) // 2 * count
        self.sum_ns += estimated_ns if sum_ns is None else sum_ns


@dataclass(slots=True)
class _Sums:
    """Of one group. ``last``: the interval in which one of its processes was seen."""

    counters: Counter[Key] = field(default_factory=Counter)
    gauges: dict[Key, float] = field(default_factory=dict)
    histograms: defaultdict[Metric, Histogram] = field(
        default_factory=lambda: defaultdict(Histogram)
    )
    last: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One value: of ``group`` (None: the agent's own), with the metric's own labels.

    Times are in nanoseconds still; ``value`` of a histogram is a ``Histogram``.
    """

    metric: Metric
    group: Group | None
    labels: Labels
    value: float | Histogram


class _Growing:
    """Figures that a report has since its process was first traced, not of its interval."""

    def __init__(self) -> None:
        self._before: dict[tuple[int, Metric, str], int] = {}
        self._counted: Counter[tuple[Metric, str]] = Counter()

    def add(self, counters: Counter[Key], process: Process) -> None:
        """What they have grown by."""
        faults = process.major_faults or 0
        _count(counters, metrics.MAJOR_FAULTS, self._grown(process, metrics.MAJOR_FAULTS, faults))
        if process.limits is not None:
            group, spent_ns = process.limits.cpu_group, process.limits.throttled_ns or 0
            self._shared(counters, process, metrics.THROTTLED, spent_ns, group)
        for listener in process.sockets.listeners if process.sockets else ():
            dropped = listener.dropped
            self._shared(counters, process, metrics.QUEUE_DROPS, dropped, listener.local)

    def _shared(
        self, counters: Counter[Key], process: Process, metric: Metric, value: int, what: str
    ) -> None:
        """Several processes tell of the same (a control group, a listening socket): once counts."""
        counted = self._counted[metric, what]
        more = max(0, self._grown(process, metric, value, what) - counted)
        self._counted[metric, what] += more
        _count(counters, metric, more)

    def _grown(self, process: Process, metric: Metric, value: int, what: str = "") -> int:
        key = process.pid, metric, what
        before = self._before.get(key, 0)
        self._before[key] = value
        return max(0, value - before)

    def end_interval(self, there: Container[int]) -> None:
        """``there``: the processes that have not gone."""
        self._counted.clear()
        self._before = {key: value for key, value in self._before.items() if key[0] in there}


class Totals:
    """The metrics of everything that was reported so far."""

    def __init__(self) -> None:
        self._groups: dict[Group, _Sums] = {}
        self._own: Counter[Key] = Counter()
        self._own_gauges: dict[Key, float] = {}
        self._left_out: set[Group] = set()
        self._interval = 0
        self._growing = _Growing()
        self._models: dict[int, str] = {}

    def add(self, report: Report, group_of: Callable[[Process], Group]) -> None:
        """What one interval adds. One that was not judged leaves the findings as they were."""
        self._interval += 1
        self._left_out.clear()
        judged = any(process.model for process in report.processes)
        for sums in self._groups.values():
            sums.gauges = {
                key: value
                for key, value in sums.gauges.items()
                if key[0] is metrics.FINDINGS and not judged
            }
            for histogram in sums.histograms.values():
                histogram.fresh.clear()
        by_pid = {}
        for process in report.processes:
            group = group_of(process)
            by_pid[process.pid] = group
            sums = self._sums(group)
            if process.model is not None:
                self._models[process.pid] = process.model.id
            _add_process(sums, process, self._interval, self._models.get(process.pid, ""))
            self._growing.add(sums.counters, process)
        for finding in report.findings:
            key = metrics.FINDINGS, (finding.id, finding.severity)
            gauges = self._sums(by_pid.get(finding.pid, OTHER)).gauges
            gauges[key] = gauges.get(key, 0) + 1
        self._growing.end_interval(by_pid.keys())
        self._models = {pid: model for pid, model in self._models.items() if pid in by_pid}
        self._add_quality(report)
        self._forget()

    def _sums(self, group: Group) -> _Sums:
        if group not in self._groups and len(self._groups) >= MOST_GROUPS:
            self._left_out.add(group)
            group = OTHER
        return self._groups.setdefault(group, _Sums())

    def _add_quality(self, report: Report) -> None:
        quality = report.quality
        own = self._own
        own[metrics.AGENT_INTERVALS, ()] += 1
        own[metrics.AGENT_CPU, ()] = quality.tracer_cpu_ns
        for name in quality.lost.__slots__:
            own[metrics.AGENT_LOST, (name,)] += getattr(quality.lost, name)
        self._own_gauges = {
            (metrics.AGENT_UNACCOUNTED, ()): quality.unaccounted_ratio,
            (metrics.AGENT_KERNEL_MEMORY, ()): quality.kernel_memory_bytes or 0,
            (metrics.AGENT_LEFT_OUT, ()): len(self._left_out),
        }

    def _forget(self) -> None:
        for group, sums in tuple(self._groups.items()):
            if self._interval - sums.last >= KEPT_INTERVALS:
                del self._groups[group]

    def samples(self) -> Iterator[Sample]:
        """All values, those of a metric not necessarily together."""
        for group, sums in self._groups.items():
            for (metric, labels), value in (*sums.counters.items(), *sums.gauges.items()):
                yield Sample(metric, group, labels, value)
            for metric, histogram in sums.histograms.items():
                yield Sample(metric, group, (), histogram)
        for (metric, labels), value in (*self._own.items(), *self._own_gauges.items()):
            yield Sample(metric, None, labels, value)


def _add_process(sums: _Sums, process: Process, interval: int, model: str) -> None:
    if process.pid and process.ended_ns is None:
        sums.last = interval
        sums.gauges[metrics.PROCESS, (str(process.pid), model, process.python or "")] = 1
        _measure(sums, metrics.PROCESSES, 1)
        living = sum(thread.ended_ns is None for thread in process.threads)
        _measure(sums, metrics.THREADS, living)
    for thread in process.threads:
        _add_states(sums.counters, thread.states_ns)
    for loop in process.loops:
        _add_loop(sums.counters, loop)
    gil_ns = sum(call.gil_ns or 0 for call in process.calls)
    _count(sums.counters, metrics.GIL_WAIT, gil_ns)
    _add_requests(sums, process)
    _add_upstreams(sums, process)
    _add_surroundings(sums, process)


def _add_states(counters: Counter[Key], states: States) -> None:
    known = {
        "cpu": states.cpu,
        "user": states.user,
        "kernel": states.kernel,
        "copy": states.copy,
        "runq": states.runq,
        "unaccounted": states.unaccounted,
        **{f"wait_{reason}": spent_ns for reason, spent_ns in states.wait.items()},
    }
    for state, spent_ns in known.items():
        _count(counters, metrics.THREAD_TIME, spent_ns or 0, state)


def _add_loop(counters: Counter[Key], loop: Loop) -> None:
    if loop.busy_total_ns is None:
        return
    _count(counters, metrics.LOOP_TIME, loop.busy_total_ns, "active")
    _count(counters, metrics.LOOP_TIME, loop.wait_ns, "idle")
    _count(counters, metrics.LOOP_ITERATIONS, loop.iterations or 0)
    if loop.stalls is not None:
        stalls = loop.stalls
        _count(counters, metrics.STALLS, stalls.count)
        for cause, spent_ns in {
            "cpu": stalls.cpu_ns, "runq": stalls.runq_ns, **stalls.wait_ns
        }.items():  # fmt: skip
            _count(counters, metrics.STALL_TIME, spent_ns, cause)


def _add_requests(sums: _Sums, process: Process) -> None:
    for requests in process.requests:
        if requests.latency_ns is not None:
            exact_ns = sum(tier.latency_ns for tier in requests.tiers)
            histogram = sums.histograms[metrics.REQUEST_DURATION]
            histogram.add(requests.latency_ns.histogram, exact_ns)
            for exemplar in map(_exemplar, requests.exemplars):
                if exemplar is not None:
                    bucket = bisect_left(EDGES_NS, exemplar.value_ns)
                    histogram.exemplars[bucket] = histogram.fresh[bucket] = exemplar
        for tier in requests.tiers:
            parts = {
                "queue": tier.queue_ns,
                "pickup": sum(tier.pickup_ns.values()),
                "service": sum(tier.service_ns.values()),
            }
            for part, spent_ns in parts.items():
                _count(sums.counters, metrics.REQUEST_PARTS, spent_ns, part)
        _measure(sums, metrics.REQUESTS_OWED, requests.unanswered)
        _oldest(sums, metrics.REQUEST_AGE, requests.oldest_unanswered_ns)


def _exemplar(slow: SlowRequest) -> Exemplar | None:
    """None: no line is known."""
    wait = slow.longest_wait
    if wait is None or not wait.own_stack:
        return None
    frame = wait.own_stack[0]
    call = f"{wait.syscall} {wait.kind}".rstrip()
    return Exemplar(slow.latency_ns, f"{frame.place} {frame.plain_function}", call)


def _add_upstreams(sums: _Sums, process: Process) -> None:
    for upstream in process.upstreams:
        if upstream.theirs_ns is not None:
            sums.histograms[metrics.UPSTREAM_DURATION].add(upstream.theirs_ns.histogram)
        _count(sums.counters, metrics.UPSTREAM_PICKUP, sum(upstream.pickup_states_ns.values()))
        _count(sums.counters, metrics.CONNECT_ERRORS, upstream.connect_errors)
        _measure(sums, metrics.UPSTREAMS_OWED, upstream.unanswered)
        _oldest(sums, metrics.UPSTREAM_AGE, upstream.oldest_unanswered_ns)


def _add_surroundings(sums: _Sums, process: Process) -> None:
    if process.sockets is not None:
        _measure(sums, metrics.QUEUE_LENGTH, process.sockets.pending or 0)


def _count(counters: Counter[Key], metric: Metric, value: int, *labels: str) -> None:
    """Nothing that has always been 0 becomes a series."""
    if value:
        counters[metric, labels] += value


def _measure(sums: _Sums, metric: Metric, value: int) -> None:
    key = metric, ()
    sums.gauges[key] = sums.gauges.get(key, 0) + value


def _oldest(sums: _Sums, metric: Metric, age_ns: int | None) -> None:
    key = metric, ()
    sums.gauges[key] = max(sums.gauges.get(key, 0), age_ns or 0)
