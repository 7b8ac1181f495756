# SPDX-License-Identifier: Apache-2.0
"""Does it stay cheap when there is much of everything?

    sudo .venv/bin/python -m benchmarks.scale [--quick] [--only threads ...]

Each scenario is measured small and large, in turns, while the other stands still: what a call costs
more while it is traced must be the same. Results are kept as those of `python -m benchmarks` are.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arithmetic import Cycle, Estimate, abba, estimate, growth_ns
from benchmarks.command import attached
from benchmarks.counter import Counter
from benchmarks.measure import cycle, memory_bytes
from benchmarks.probes import Switch, iotrace_probes
from benchmarks.process_group import LOAD_CPU, SERVER_CPU, ProcessGroup, native
from benchmarks.results import RESULTS, Results
from benchmarks.table import document
from iotrace.engine.map_limits import Limits, limits_for
from iotrace.report.model import Quality
from iotrace.tracing.trace import Trace

_WINDOW_S = 0.1
_SETTLE_S = 1.0
_WARM_S = 0.05
CONNECTIONS = min(20_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100)
"""As many as a process may have here, beside its other descriptors."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """``start(group, counter, size)`` gives the pid to trace; it counts operations."""

    name: str
    title: str
    small: int
    large: int
    start: Callable[[ProcessGroup, Counter, int], int]


@dataclass(frozen=True, slots=True)
class Scaled:
    """Of the large scenario: seconds and bytes. ``small_ns``, ``large_ns``: added to an operation.

    ``growth_ns``: how much more in the large, by pairs that were measured one after the other.
    ``rate``: operations a second while it was traced.
    """

    title: str
    snapshot_s: float
    rss_bytes: int
    kernel_bytes: int
    lost: int
    rate: float
    small_ns: Estimate
    large_ns: Estimate
    growth_ns: Estimate


def _beside_sleepers(kind: str, group: ProcessGroup, counter: Counter, size: int) -> int:
    counter.go()
    return group.start(native(), kind, counter.path, size - 1, cpu=SERVER_CPU)


def _calls(group: ProcessGroup, counter: Counter, size: int) -> int:
    counter.go()
    return group.start(native(), "eagain", counter.path, size, cpu=SERVER_CPU)


def _connections(group: ProcessGroup, counter: Counter, size: int) -> int:
    listener = group.listener()
    pid = group.program("echo.py", counter.path, listener.fileno(), fds=(listener.fileno(),))
    load = group.enter_context(Counter())
    port = listener.getsockname()[1]
    group.start(native(), "messages", load.path, port, size, cpu=LOAD_CPU)
    return pid


SCENARIOS = (
    Scenario("threads", "2,000 threads of one process, one of them busy", 1, 2000,
          functools.partial(_beside_sleepers, "threads")),
    Scenario("processes", "200 worker processes, one of them busy", 1, 200,
          functools.partial(_beside_sleepers, "processes")),
    Scenario("calls", "as many calls a second as one CPU makes, on 1,000 sockets", 1, 1000, _calls),
    Scenario("connections", f"{CONNECTIONS:,} connections on one epoll, all busy", 50, CONNECTIONS,
          _connections),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Running:
    """A scenario in one size, with iotrace's probes ready for it."""

    pid: int
    counter: Counter
    group: ProcessGroup
    switch: Switch


@contextlib.contextmanager
def _running(scenario: Scenario, size: int) -> Iterator[_Running]:
    with Counter() as counter, ProcessGroup() as group:
        pid = scenario.start(group, counter, size)
        counter.wait_until(2 * size + 1000, 120)
        time.sleep(_SETTLE_S)
        with iotrace_probes(pid) as switch:
            yield _Running(pid, counter, group, switch)


def measured(scenario: Scenario, cycles: int) -> Scaled:
    """Small and large in turns; then the rest, of the large alone."""
    with _running(scenario, scenario.small) as small:
        small.group.stop()
        with _running(scenario, scenario.large) as large:
            large.group.stop()
            pairs = [(_cycle(small), _cycle(large)) for _ in range(cycles)]
            with large.group.going_on():
                rate, rss_bytes = _traced(large)
                snapshot_s, quality = _snapshot(large.pid)
    smalls, larges = zip(*pairs, strict=True)
    return Scaled(
        title=scenario.title,
        snapshot_s=snapshot_s,
        rss_bytes=rss_bytes,
        kernel_bytes=quality.kernel_memory_bytes or 0,
        lost=quality.lost.total,
        rate=rate,
        small_ns=estimate([one.added_ns for one in smalls]),
        large_ns=estimate([one.added_ns for one in larges]),
        growth_ns=estimate(growth_ns(smalls, larges)),
    )


def _cycle(one: _Running) -> Cycle:
    with one.group.going_on():
        one.counter.window(_WARM_S)
        return abba(cycle(one.counter, one.switch, _WINDOW_S))[0]


def _traced(one: _Running) -> tuple[float, int]:
    """Operations a second under a real attach, and that process's resident bytes."""
    with attached(one.pid, "-i", 1, "-o", "/dev/null") as tracer:
        return one.counter.window(2.5).rate, memory_bytes(tracer.pid, "VmRSS")


def _snapshot(pid: int) -> tuple[float, Quality]:
    """Seconds for all records, and what the report says of its own quality."""
    with Trace(limits_for([pid], Limits())) as trace:
        trace.follow(pid, True)
        time.sleep(0.5)
        begin = time.monotonic()
        snapshot = trace.snapshot()
        return time.monotonic() - begin, trace.report(snapshot).quality


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="roughly; the results are not kept")
    parser.add_argument("--only", nargs="*", choices=[scenario.name for scenario in SCENARIOS])
    options = parser.parse_args(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    lost = 0
    with tempfile.TemporaryDirectory() as directory:
        results = Results(Path(directory) / "results.json" if options.quick else RESULTS)
        for scenario in SCENARIOS:
            if options.only and scenario.name not in options.only:
                continue
            print(f"bench: {scenario.title}", file=sys.stderr, flush=True)
            scaled = measured(scenario, 5 if options.quick else 20)
            lost += scaled.lost
            results.put("scale", scenario.name, {"figures": scaled})
        print(document({"machine": results.known.get("machine"), "scale": results.known["scale"]}))
    return int(bool(lost))


if __name__ == "__main__":
    sys.exit(main())
