# SPDX-License-Identifier: Apache-2.0
"""Labels and findings of the reference servers, over many runs: how often each is right.

    sudo .venv/bin/python -m benchmarks.verdict_table [--runs 20] [--seconds 1] [--model epoll ...]

Each run starts the servers afresh and puts four loads on each, one after the other: 1 and 100
connections, light (50 requests a second) and heavy (as many as it takes). Prints the confusion
table (expected label x label given) and a table of the findings; exits 1 if any label is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from iotrace.servers.catalog import MODELS, ServerModel
from iotrace.servers.launch import RunningServer, running
from iotrace.servers.load import run_load
from iotrace.servers.load_plan import LoadPlan
from tabulate import tabulate

from iotrace.engine.map_limits import Limits, limits_for
from iotrace.report.model import Finding, Process
from iotrace.snapshot.arithmetic import interval
from iotrace.tracing.trace import Trace

EXPECTED = {
    "blocking": ("blocking", "single thread"),
    "nonblocking": ("nonblocking", "single thread"),
    "select": ("select", "event loop"),
    "poll": ("poll", "event loop"),
    "epoll": ("epoll", "event loop"),
    "epoll-et": ("epoll-et", "event loop"),
    "selectors": ("epoll", "event loop"),
    "signal": ("signal", "event loop"),
    "async-io": ("async-io", "event loop"),
    "asyncio": ("epoll", "event loop"),
    "fork": ("blocking", "process per request"),
    "thread": ("blocking", "thread per connection"),
    "event-queue": ("epoll", "event loop"),
}
"""What each reference server is: (model id, shape)."""
LOADS = ((1, 50.0), (1, None), (100, 50.0), (100, None))
"""(connections, requests a second; None: a closed loop, as quick as the server)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the verdict said of one server under one load."""

    model: str
    connections: int
    rate: float | None
    label: tuple[str, str]
    title: str
    confidence: float
    findings: tuple[Finding, ...]

    @property
    def right(self) -> bool:
        """Both the model and the shape."""
        return self.label == EXPECTED[self.model]


def one_run(models: Sequence[ServerModel], seconds: float) -> Iterator[Outcome]:
    """Every server under every load, in one trace."""
    with ExitStack() as stack:
        servers = [(model, stack.enter_context(running(model.module))) for model in models]
        pids = [server.pid for _, server in servers]
        trace = stack.enter_context(Trace(limits_for(pids, Limits())))
        for pid in pids:
            trace.follow(pid, True)
        for model, server in servers:
            for connections, rate in LOADS:
                yield _observe(trace, model, server, connections, rate, seconds)


def _observe(
    trace: Trace,
    model: ServerModel,
    server: RunningServer,
    connections: int,
    rate: float | None,
    seconds: float,
) -> Outcome:
    trace.processes_alive()
    before = trace.snapshot()
    run_load(
        LoadPlan(
            port=server.port,
            connections=connections,
            requests=None if rate is None else max(connections, int(rate * seconds)),
            duration_ns=int(seconds * 1e9),
            rate=rate,
            reconnect=model.per_request_connection,
        )
    )
    trace.processes_alive()
    trace.look()
    report = trace.report(interval(trace.snapshot(), before))
    process = next(one for one in report.processes if one.pid == server.pid)
    family = {process.pid, *(one.pid for one in report.processes if one.parent == process.pid)}
    found = tuple(one for one in report.findings if one.pid in family)
    return _outcome(model, connections, rate, process, found)


def _outcome(
    model: ServerModel,
    connections: int,
    rate: float | None,
    process: Process,
    found: tuple[Finding, ...],
) -> Outcome:
    assert process.model is not None
    given = process.model
    return Outcome(
        model.id,
        connections,
        rate,
        (given.id, given.shape),
        given.title,
        given.confidence,
        found,
    )


def confusion(outcomes: Sequence[Outcome]) -> str:
    """Rows: servers; columns: how often the label was right, and what else was said."""
    rows = []
    for model in dict.fromkeys(one.model for one in outcomes):
        mine = [one for one in outcomes if one.model == model]
        right = Counter((one.connections, one.rate) for one in mine if one.right)
        total = Counter((one.connections, one.rate) for one in mine)
        wrong = Counter(f"{one.label[0]}/{one.label[1]}" for one in mine if not one.right)
        rows.append(
            [
                model,
                "/".join(EXPECTED[model]),
                *(f"{right[load]}/{total[load]}" for load in LOADS),
                f"{min(one.confidence for one in mine):.2f}",
                ", ".join(f"{label} x{count}" for label, count in wrong.items()) or "-",
            ]
        )
    heads = ["server", "expected", *(_load_name(*load) for load in LOADS), "least sure", "wrong"]
    return tabulate(rows, heads)


def _load_name(connections: int, rate: float | None) -> str:
    return f"{connections} {'heavy' if rate is None else 'light'}"


def findings(outcomes: Sequence[Outcome]) -> str:
    """Rows: server and rule; columns: in how many runs of each load it was reported."""
    seen: dict[tuple[str, str], Counter[tuple[int, float | None]]] = {}
    for one in outcomes:
        for rule in {found.id for found in one.findings}:
            seen.setdefault((one.model, rule), Counter())[one.connections, one.rate] += 1
    rows = [
        [model, rule, *(loads[load] for load in LOADS)] for (model, rule), loads in seen.items()
    ]
    return tabulate(rows, ["server", "rule", *(_load_name(*load) for load in LOADS)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each load")
    parser.add_argument("--model", action="append", choices=sorted(EXPECTED), default=[])
    parser.add_argument("-v", "--verbose", action="store_true", help="print each outcome")
    options = parser.parse_args(arguments)
    models = [
        model
        for model in MODELS
        if not model.unavailable() and (not options.model or model.id in options.model)
    ]
    outcomes: list[Outcome] = []
    for number in range(options.runs):
        began = time.monotonic()
        for one in one_run(models, options.seconds):
            outcomes.append(one)
            if options.verbose or not one.right:
                ids = [f"{found.id} {found.severity} {found.evidence}" for found in one.findings]
                load = _load_name(one.connections, one.rate)
                print(one.model, load, one.label, one.confidence, one.title, ids, file=sys.stderr)
        passed = time.monotonic() - began
        print(f"run {number + 1} of {options.runs}: {passed:.0f} s", file=sys.stderr)
    print(f"Labels: right of {options.runs} runs, by connections and load\n")
    print(confusion(outcomes))
    print("\nFindings: runs in which each was reported\n")
    print(findings(outcomes) or "none")
    return 0 if all(one.right for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
