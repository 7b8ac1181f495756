# SPDX-License-Identifier: Apache-2.0
"""What tracing costs, next to other tracers and to the limit: `make bench`.

    sudo .venv/bin/python -m benchmarks [--quick] [--workloads echo ...] [--parts throughput ...]

Prints one table. Without --quick what was measured is kept in benchmarks/results.json: runs of
single workloads add up, and docs/performance.md is written from it (`--write-docs`).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.command import details
from benchmarks.completeness import counts
from benchmarks.measure import FULL, QUICK, Effort
from benchmarks.peers import PEERS
from benchmarks.probes import all_probes
from benchmarks.process_group import Missing
from benchmarks.product import measure_command
from benchmarks.results import RESULTS, Results
from benchmarks.table import document, write_docs
from benchmarks.workloads import WORKLOADS, Workload

_NATIVE_OPERATIONS = 1_000_003
_OPERATIONS = 100_003
"""Primes, as everywhere where counts are checked."""
PARTS = ("throughput", "peers", "counts", "command")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 if a call was lost."""
    options = _parser().parse_args(arguments)
    if options.write_docs:
        write_docs(Results().known)
        return 0
    chosen = [one for one in WORKLOADS if not options.workloads or one.name in options.workloads]
    effort = QUICK if options.quick else FULL
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "results.json" if options.quick else RESULTS
        results = Results(path)
        for workload in chosen:
            try:
                _measure(workload, effort, options.parts, results)
            except Missing as missing:
                _say(f"{workload.name}: skipped, for it needs {missing}")
        if "command" in options.parts:
            _measure_command(results, quick=options.quick)
        print(document(results.known))
    return _lost(results.known)


def _measure(workload: Workload, effort: Effort, parts: Sequence[str], results: Results) -> None:
    known = dict(results.known.get("workloads", {}).get(workload.name, {}))
    known.pop("measured_at", None)
    if "throughput" in parts:
        _say(f"{workload.name}: probes, switched on and off")
        known["switched"] = measure.switched(workload, all_probes(), effort)
    if "peers" in parts:
        known["started"] = {
            peer.name: cost for peer in PEERS if (cost := _peer(workload, peer, effort)) is not None
        }
    if "counts" in parts and workload.calls:
        operations = _NATIVE_OPERATIONS if workload.name == "native" else _OPERATIONS
        _say(f"{workload.name}: {operations} operations, is every call counted?")
        known["counts"] = counts(workload, operations, ())
    results.put("workloads", workload.name, known)


def _peer(workload: Workload, peer: Any, effort: Effort) -> Any:
    if peer.python_only and not workload.python:
        return None
    missing = peer.missing()
    if missing:
        _say(f"{workload.name}: {peer.name} skipped, for it is not installed: {missing}")
        return None
    _say(f"{workload.name}: {peer.name}")
    try:
        return measure.started(workload, peer, effort)
    except RuntimeError as error:
        _say(f"{workload.name}: {peer.name} does not start: {error}")
        return None


def _measure_command(results: Results, *, quick: bool) -> None:
    for level in details() or ("full",):
        _say(f"iotrace attach, {level} detail: start, wait, end")
        options = ("--detail", level) if details() else ()
        command = measure_command(options, 1 if quick else 5, 3 if quick else 10)
        results.put("command", level, {"figures": command})


def _lost(known: dict[str, Any]) -> int:
    rows = [row for one in known.get("workloads", {}).values() for row in one.get("counts", ())]
    return int(any(row["made"] != row["reported"] or row["lost"] for row in rows))


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="all of it, roughly, in 3 minutes")
    parser.add_argument("--workloads", nargs="*", choices=[one.name for one in WORKLOADS])
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--write-docs", action="store_true", help="docs/performance.md, from file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
