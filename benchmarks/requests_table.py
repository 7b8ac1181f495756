# SPDX-License-Identifier: Apache-2.0
"""The results of `python -m benchmarks.requests`: the generated part of docs/requests.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.delays import DELAYS, outside_of
from benchmarks.latency_servers import SERVERS
from benchmarks.page import table_of, write_between

RESULTS = Path(__file__).parent / "requests.json"
DOCS = Path(__file__).parents[1] / "docs" / "requests.md"
BEGIN, END = "<!-- begin: benchmarks.requests -->\n", "<!-- end: benchmarks.requests -->\n"
_NEAR = 0.05
_NEAR_NS = 200_000
"""A percentile is within one of the two of what the client has measured."""
_SAME = 0.03
"""A mean of calls is within that of the mean of the requests that they were."""
_UNKNOWN = 0.01
"""So few of the requests may be ones whose parts nobody knows."""


def write_docs(known: dict[str, Any], path: Path = DOCS) -> None:
    """Put the tables between the marks."""
    write_between(path, BEGIN, END, document(known))


def document(known: dict[str, Any]) -> str:
    """Both tables, in Markdown."""
    parts = [f"Measured on {known.get('machine', 'nothing yet')}."]
    if known.get("latencies"):
        parts.append(_latencies(known["latencies"]))
    if known.get("delays"):
        parts.append(_delays(known["delays"]))
    return "\n\n".join(parts) + "\n"


def outside(known: dict[str, Any]) -> Iterator[str]:
    """What is not as near as it should be."""
    for name, one in known.get("latencies", {}).items():
        for share in ("p50", "p99"):
            if not _is_near(one["client"][share], one["server"][share]):
                yield f"{name}: {share}"
        if any(abs(more) > _SAME for more in _means(one)):
            yield f"{name}: mean"
        if len(set(_counts(one))) > 1:
            yield f"{name}: count"
        if one["unknown"] > _UNKNOWN * one["server"]["count"]:
            yield f"{name}: unknown"
    for name, one in known.get("delays", {}).items():
        if outside_of(one["injected_ns"], one["surplus_ns"]):
            yield name


def _is_near(client_ns: float, server_ns: float) -> bool:
    return abs(server_ns - client_ns) <= max(_NEAR * client_ns, _NEAR_NS)


def _means(one: dict[str, Any]) -> Iterator[float]:
    """By how much the mean of calls is above that of requests."""
    pairs = [(one["upstream"], one["server"])]
    if one["behind"]:
        pairs.append(tuple(one["behind"]))
    for calls, requests in pairs:
        yield calls["mean"] / requests["mean"] - 1


def _counts(one: dict[str, Any]) -> Iterator[int]:
    """What the client has counted, and what each end of its requests and of those behind tells."""
    for seen in (one["client"], one["server"], one["upstream"], *(one["behind"] or ())):
        yield seen["count"]


def _latencies(latencies: dict[str, Any]) -> str:
    rows = []
    for server in SERVERS:
        one = latencies.get(server.name)
        if one:
            pairs = [_pair(one["client"][share], one["server"][share]) for share in ("p50", "p99")]
            means = ", behind it ".join(f"{more:+.1%}" for more in _means(one))
            count, unknown = one["server"]["count"], one["unknown"]
            rows.append([server.name, f"{count:,}", *pairs, means, f"{unknown}"])
    headers = ["server", "requests", "p50, ms: client, trace", "p99, ms: client, trace"]
    headers += ["mean: client's calls above server's requests", "unknown"]
    return table_of(rows, headers)


def _pair(client_ns: float, server_ns: float) -> str:
    mark = "" if _is_near(client_ns, server_ns) else " (!)"
    return f"{client_ns / 1e6:.2f}, {server_ns / 1e6:.2f}{mark}"


def _delays(delays: dict[str, Any]) -> str:
    rows = []
    for delay in DELAYS:
        one = delays.get(delay.name)
        if one:
            injected, surplus = one["injected_ns"], one["surplus_ns"]
            rows.append(
                [
                    delay.name,
                    delay.part(),
                    f"{len(injected)}: {min(injected) / 1e6:.0f} to {max(injected) / 1e6:.0f} ms",
                    f"{median(surplus) / 1e6:+.3f} ms",
                    f"{max(surplus, key=abs) / 1e6:+.3f} ms",
                    f"{outside_of(injected, surplus)}",
                ]
            )
    headers = ["delay", "must be in", "injected", "seen above that, median", "worst"]
    headers.append("off by more than 1 ms and 2 %")
    return table_of(rows, headers)
