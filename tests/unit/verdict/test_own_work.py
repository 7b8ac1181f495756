# SPDX-License-Identifier: Apache-2.0
"""What is said of scripts and batches in which no rule found anything: where their time goes."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.stacks import CpuSample
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    in_call,
    judged,
    line_of,
    listener,
    process,
    stack,
    thread,
)


def _outcome(one: Process) -> str:
    (said,) = [row.outcome for row in judged(one).processes]
    return said


def _runs_children() -> Process:
    waits = in_call("wait4", "", "lib/subprocess.py:1226 Popen.wait", "job.py:11 export")
    one = process([thread(PID, child=9 * S, user=S)], [call("wait4", "", 30, wait=9 * S)])
    return replace(one, lines=(line_of(waits, 30, 9 * S, 310 * MS),))


def test_of_a_script_the_line_is_told_that_it_waits_at() -> None:
    said = _outcome(_runs_children())
    assert said.startswith("No rule found a fault. It serves nobody itself. Thread 700 of ")
    assert "It waits mostly at job.py:11 export -> wait4" in said
    assert said.endswith(": 30 times, 9 s, 310 ms at most.")
    assert "request" not in said


def test_of_a_script_that_computes_the_function_is_told() -> None:
    one = process([thread(PID, user=4 * S, file=6 * S)])
    at = stack("job.py:7 parse", "job.py:20 main")
    said = _outcome(replace(one, cpu_samples=(CpuSample(PID, 400, 4 * S, 0, 0, 0, 0, at),)))
    assert "It computes mostly at job.py:7 parse: 100 % of its CPU time" in said


def test_a_server_without_requests_is_to_be_sent_some() -> None:
    one = replace(_runs_children(), sockets=listener(0))
    assert "mostly at" not in _outcome(one)


def test_no_line_is_told_of_a_script_that_is_here_and_there() -> None:
    one = _runs_children()
    (line,) = one.lines
    others = tuple(replace(line, stack=stack(f"job.py:{number} step")) for number in (30, 40, 50))
    assert "mostly at" not in _outcome(replace(one, lines=others))
