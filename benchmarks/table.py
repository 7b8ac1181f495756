# SPDX-License-Identifier: Apache-2.0
"""The results as text: what `make bench` prints, and the generated part of docs/performance.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.page import table_of, write_between
from benchmarks.peers import PEERS
from benchmarks.probes import CLOCK, EMPTY, EMPTY_SOCKETS, EMPTY_SWITCH, IOTRACE, NOTHING
from benchmarks.workloads import WORKLOADS

DOCS = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = "<!-- begin: make bench -->\n", "<!-- end: make bench -->\n"
_PER_CALL = ("native", "bystander")
"""Workloads of which the table tells what a call costs, not the throughput."""
_MISSING = "-"


def write_docs(known: dict[str, Any], path: Path = DOCS) -> None:
    """Put the tables between the marks."""
    write_between(path, BEGIN, END, document(known))


def document(known: dict[str, Any]) -> str:
    """All tables, in Markdown."""
    parts = [f"Measured on {known.get('machine', 'nothing yet')}."]
    workloads = known.get("workloads", {})
    if workloads:
        parts += [_costs(workloads, known.get("command", {})), _workloads(workloads)]
    if any(one.get("counts") for one in workloads.values()):
        parts.append(_counts(workloads))
    if known.get("command"):
        parts.append(_command(known["command"]))
    if known.get("scale"):
        parts.append(_scale(known["scale"]))
    if known.get("walks"):
        walks = known["walks"]["python"]
        parts += [f"Walks: {walks['machine']}.", _walks(walks["figures"])]
    return "\n\n".join(parts) + "\n"


def _costs(workloads: dict[str, Any], command: dict[str, Any]) -> str:
    """The one table: a row a tracer."""
    shown = [one.name for one in WORKLOADS if one.name in workloads]
    ratios = [name for name in shown if name not in _PER_CALL]
    calls = [name for name in shown if name in _PER_CALL]
    headers = [
        "throughput, traced / untraced",
        *ratios,
        *({"native": "ns a call", "bystander": "ns a call beside"}[name] for name in calls),
        "tracer's CPU",
        "starts in",
        "peak RSS",
    ]
    rows = []
    for tracer in _tracers(workloads):
        costs = [_cost(workloads[name], tracer) for name in shown]
        rows.append(
            [
                tracer,
                *(_ratio(_cost(workloads[name], tracer)) for name in ratios),
                *(_added(_cost(workloads[name], tracer)) for name in calls),
                *_process(tracer, costs, command),
            ]
        )
    return table_of(rows, headers)


def _tracers(workloads: dict[str, Any]) -> Iterator[str]:
    """In the order of the table, those that were measured."""
    seen = {
        name
        for one in workloads.values()
        for part in ("switched", "started")
        for name in one.get(part, {})
    }
    levels = sorted(name for name in seen if name.startswith(IOTRACE))
    for name in (
        NOTHING,
        EMPTY,
        EMPTY_SWITCH,
        EMPTY_SOCKETS,
        CLOCK,
        *levels,
        *(peer.name for peer in PEERS),
    ):
        if name in seen:
            yield name


def _cost(workload: dict[str, Any], tracer: str) -> dict[str, Any] | None:
    for part in ("switched", "started"):
        if tracer in workload.get(part, {}):
            found: dict[str, Any] = workload[part][tracer]
            return found
    return None


def _ratio(cost: dict[str, Any] | None) -> str:
    if cost is None:
        return _MISSING
    ratio = cost["ratio"]
    digits = 3 if ratio["median"] >= 0.1 else 4
    return _interval(ratio, lambda value: f"{value:.{digits}f}")


def _added(cost: dict[str, Any] | None) -> str:
    if cost is None:
        return _MISSING
    return _interval(cost["added_ns"], _whole)


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _interval(estimate: dict[str, Any], form: Any) -> str:
    middle = form(estimate["median"])
    if estimate["samples"] == 1:
        return f"{middle} (once)"
    return f"{middle} [{form(estimate['low'])}, {form(estimate['high'])}]"


def _process(
    tracer: str, costs: list[dict[str, Any] | None], command: dict[str, Any]
) -> tuple[str, str, str]:
    """CPU, start-up and memory of the tracer's process."""
    level = tracer.removeprefix(IOTRACE).strip()
    if tracer.startswith(IOTRACE):
        if level not in command:
            return _MISSING, _MISSING, _MISSING
        own = command[level]["figures"]
        return (
            f"{own['waiting_cpu']:.2%}",
            _seconds(own["attach_s"]),
            _megabytes(own["peak_rss_bytes"]),
        )
    measured = [cost for cost in costs if cost is not None and cost.get("cpu") is not None]
    if not measured:
        return _MISSING, _MISSING, _MISSING
    cpu = [cost["cpu"] for cost in measured]
    return (
        f"{min(cpu):.0%} to {max(cpu):.0%}",
        _seconds(min(cost["started_s"] for cost in measured)),
        _megabytes(max(cost["peak_rss_bytes"] for cost in measured)),
    )


def _workloads(workloads: dict[str, Any]) -> str:
    rows = []
    for one in WORKLOADS:
        if one.name in workloads:
            measured = workloads[one.name]
            costs = {**measured.get("switched", {}), **measured.get("started", {})}
            rate = f"{costs[NOTHING]['rate']:,.0f}" if NOTHING in costs else _MISSING
            rows.append([one.name, one.title, one.load, rate, measured["measured_at"]])
    return table_of(rows, ["workload", "what is traced", "load", "operations a second", "measured"])


def _counts(workloads: dict[str, Any]) -> str:
    rows = [
        [one.name, row["call"], f"{row['made']:,}", f"{row['reported']:,}", str(row["lost"])]
        for one in WORKLOADS
        for row in workloads.get(one.name, {}).get("counts", ())
    ]
    return table_of(rows, ["workload", "call", "made", "reported", "lost"])


def _command(command: dict[str, Any]) -> str:
    levels = sorted(command)
    rows = [
        ["`iotrace --help`", *(_seconds(command[level]["figures"]["help_s"]) for level in levels)],
        [
            "exec to the first charged ns, nothing cached",
            *(_seconds(command[level]["figures"]["cold_attach_s"]) for level in levels),
        ],
        [
            "exec to the first charged ns, again",
            *(_seconds(command[level]["figures"]["attach_s"]) for level in levels),
        ],
        [
            "CPU while it waits, of one core",
            *(f"{command[level]['figures']['waiting_cpu']:.2%}" for level in levels),
        ],
        [
            "RSS while it traces",
            *(_megabytes(command[level]["figures"]["rss_bytes"]) for level in levels),
        ],
        [
            "kernel memory of all maps",
            *(_megabytes(command[level]["figures"]["kernel_bytes"]) for level in levels),
        ],
        [
            "probes detached in",
            *(f"{command[level]['figures']['detach_s'] * 1000:.1f} ms" for level in levels),
        ],
        [
            "SIGINT to exit, the report printed",
            *(_seconds(command[level]["figures"]["end_s"]) for level in levels),
        ],
    ]
    return table_of(rows, ["the command", *(f"{IOTRACE}{level}" for level in levels)])


def _scale(scale: dict[str, Any]) -> str:
    rows = [
        [
            one["figures"]["title"],
            _interval(one["figures"]["small_ns"], _whole),
            _interval(one["figures"]["large_ns"], _whole),
            _interval(one["figures"]["growth_ns"], _whole),
            f"{one['figures']['rate']:,.0f}",
            _seconds(one["figures"]["snapshot_s"]),
            _megabytes(one["figures"]["rss_bytes"]),
            _megabytes(one["figures"]["kernel_bytes"]),
            str(one["figures"]["lost"]),
        ]
        for one in scale.values()
    ]
    headers = ["scale", "ns added, small", "ns added, large", "more in the large, by pairs"]
    headers += ["traced operations a second", "snapshot", "RSS", "maps", "lost"]
    return table_of(rows, headers)


def _walks(figures: list[dict[str, Any]]) -> str:
    rows = [
        [
            one["case"],
            one["version"],
            _interval(one["ns"], _whole),
            _interval(one["ratio"], "{:.3f}".format) if one["ratio"] else _MISSING,
        ]
        for one in figures
    ]
    return table_of(rows, ["a walk of a Python stack", "Python", "ns", "to that on 3.13, by pairs"])


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f} s"


def _megabytes(count: int) -> str:
    return f"{count / 2**20:.0f} MB"
