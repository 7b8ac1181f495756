# SPDX-License-Identifier: Apache-2.0
"""Off-CPU time by Python stack, for flame graphs: ``folded`` and ``speedscope``.

The leaf is the call that the thread waited in: ``[recvfrom tcp]``. Only calls that took
longer than --min-latency have a stack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from iotrace import __version__
from iotrace.output.text import escape
from iotrace.report.model import Process, Report
from iotrace.report.stacks import Frame, Line

_SPEEDSCOPE_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def render_folded(report: Report) -> str:
    """Brendan Gregg's format: ``outermost;...;innermost;[call] microseconds``, a line a stack.

    Semicolons and line breaks in names would be read as other frames: they become commas.
    """
    lines = []
    for process, line in _waits(report):
        names = [_folded(f"{process.name} ({process.pid})")]
        names += [_folded(_named(frame)) for frame in reversed(line.stack)]
        names.append(_folded(_leaf(line)))
        lines.append(f"{';'.join(names)} {_off_cpu_ns(line) // 1000}\n")
    return "".join(sorted(lines)) or "\n"


def render_speedscope(report: Report) -> str:
    """A profile a process, in the format of speedscope.app; weights are nanoseconds."""
    places: dict[tuple[str, str, int], int] = {}
    frames: list[dict[str, str | int]] = []
    profiles = []
    for process in report.processes:
        samples, weights = [], []
        for line in _of(process):
            wanted = [(_named(frame), frame.file, frame.line or 0) for frame in line.stack[::-1]]
            sample = []
            for key in [*wanted, (_leaf(line), "", 0)]:
                if key not in places:
                    places[key] = len(frames)
                    frames.append(_frame(*key))
                sample.append(places[key])
            samples.append(sample)
            weights.append(_off_cpu_ns(line))
        if samples:
            profiles.append(
                {
                    "type": "sampled",
                    "name": escape(f"{process.name} ({process.pid})"),
                    "unit": "nanoseconds",
                    "startValue": 0,
                    "endValue": sum(weights),
                    "samples": samples,
                    "weights": weights,
                }
            )
    whole = {
        "$schema": _SPEEDSCOPE_SCHEMA,
        "exporter": f"iotrace {__version__}",
        "name": f"off-CPU time, {report.started_at}",
        "activeProfileIndex": 0,
        "shared": {"frames": frames},
        "profiles": profiles,
    }
    return json.dumps(whole) + "\n"


def _frame(name: str, file: str, line: int) -> dict[str, str | int]:
    frame: dict[str, str | int] = {"name": escape(name)}
    if file:
        frame["file"] = escape(file)
    if line:
        frame["line"] = line
    return frame


def _waits(report: Report) -> Iterator[tuple[Process, Line]]:
    for process in report.processes:
        for line in _of(process):
            yield process, line


def _of(process: Process) -> list[Line]:
    return [line for line in process.lines if _off_cpu_ns(line)]


def _off_cpu_ns(line: Line) -> int:
    return line.wait_ns + line.runq_ns


def _named(frame: Frame) -> str:
    mark = "*" if frame.suspends else ""
    return f"{frame.function}{mark} ({frame.place})"


def _leaf(line: Line) -> str:
    return f"[{line.syscall} {line.kind}".rstrip() + "]"


def _folded(name: str) -> str:
    return escape(name).replace(";", ",")
