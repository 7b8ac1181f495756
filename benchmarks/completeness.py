# SPDX-License-Identifier: Apache-2.0
"""Is every call counted? A known number of operations, traced by the real command."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.command import attached, interrupted
from benchmarks.workloads import Workload

_DEADLINE_S = 120


@dataclass(frozen=True, slots=True)
class Count:
    """Calls made, as the workload counts them, and calls reported; ``lost`` says the report."""

    call: str
    made: int
    reported: int
    lost: int


def counts(workload: Workload, operations: int, options: tuple[object, ...]) -> list[Count]:
    """Of each call that the workload makes once an operation."""
    with (
        workload.running(operations) as running,
        tempfile.NamedTemporaryFile() as output,
        attached(running.pid, *options, "-f", "json", "-o", output.name) as tracer,
    ):
        running.begin_load()
        until = time.monotonic() + _DEADLINE_S
        while not running.counter.finished():
            if time.monotonic() > until:
                raise TimeoutError(f"{workload.name}: {running.counter.operations()} done")
            time.sleep(0.01)
        interrupted(tracer)
        report = json.loads(Path(output.name).read_text())
    return [_count(report, call, operations) for call in workload.calls]


def _count(report: dict[str, Any], call: str, made: int) -> Count:
    rows = [
        row["calls"]
        for process in report["processes"]
        for row in process["calls"]
        if row["syscall"] == call
    ]
    return Count(call, made, sum(rows), sum(report["quality"]["lost"].values()))
