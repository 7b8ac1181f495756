# SPDX-License-Identifier: Apache-2.0
"""What is said of scripts and batches in which no rule found anything: where their time goes."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process
from iotrace.report.stacks import CpuSample, Line
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    event_loop,
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
    assert said.startswith("No rule found a fault. It accepts no connections. Thread 700 of ")
    assert "It waits mostly at job.py:11 export -> wait4" in said
    assert said.endswith(": 30 times, 9 s, 310 ms at most.")
    assert "request" not in said


def test_a_share_says_that_it_is_of_the_threads_time() -> None:
    idle = replace(_runs_children(), threads=(thread(PID, child=9 * S, file=S),))
    assert "python3 was 90 % of its time asleep waiting for child processes. " in _outcome(idle)


def test_of_a_script_that_computes_the_function_is_told() -> None:
    one = process([thread(PID, user=4 * S, file=6 * S)])
    at = stack("job.py:7 parse", "job.py:20 main")
    said = _outcome(replace(one, cpu_samples=(CpuSample(PID, 400, 4 * S, 0, 0, 0, 0, at),)))
    assert "Where it computes most: job.py:7 parse: 100 % of its CPU time" in said


def test_of_a_script_that_computes_everywhere_the_packages_are_told() -> None:
    one = process([thread(PID, user=4 * S, file=6 * S)])
    rows = tuple(
        CpuSample(PID, 100, S, 0, 0, 0, 1, stack(inner, f"job.py:{number} step{number}"))
        for number in (7, 17, 27, 37)
        for inner in ("lib/site-packages/numpy/core.py:9 dot",)
    )
    said = _outcome(replace(one, cpu_samples=rows))
    assert "Where it computes most: by package, of its CPU time" in said


def test_a_server_without_requests_is_to_be_sent_some() -> None:
    one = replace(_runs_children(), sockets=listener(0))
    assert "mostly at" not in _outcome(one)
    assert "mostly at" in _outcome(_runs_children())


def test_no_line_is_told_of_a_script_that_is_here_and_there() -> None:
    one = _runs_children()
    (line,) = one.lines
    others = tuple(replace(line, stack=stack(f"job.py:{number} step")) for number in (30, 40, 50))
    assert "mostly at" not in _outcome(replace(one, lines=others))


def test_no_line_is_told_that_is_a_small_part_of_what_its_calls_wait() -> None:
    """Calls that are quick have no line each, and may be many."""
    one = _runs_children()
    for quick, told in ((7 * S, True), (10 * S, False)):
        many = call("read", "pipe", 90_000, wait=quick)
        assert ("mostly at" in _outcome(replace(one, calls=(*one.calls, many)))) is told


def _pool(user: int, *lines: Line, **rest: int) -> list[str]:
    """The outcomes of a task queue's main process, and of one that it gives jobs through pipes."""
    jobs = [call("read", "pipe", 29), call("write", "pipe", 29)]
    worker = process([thread(user=user, **rest)], jobs, pid=PID + 1, parent=PID)
    at = CpuSample(PID, 100, user, 0, 0, 0, 0, stack("work.py:12 orders"))
    return [
        one.outcome
        for one in judged(
            replace(event_loop(), sockets=OpenSockets(3, (), 0, 0)),
            replace(worker, lines=lines, cpu_samples=(at,)),
        ).processes
    ]


def test_jobs_that_take_much_of_the_time_are_no_all_clear() -> None:
    """Nobody is seen to wait for them: how long each takes is not known."""
    unknown = "No rule found a fault. How long its jobs take is not known. "
    (said, _) = _pool(3 * S, recv=7 * S)
    assert said == unknown + (
        "Where it computes most: work.py:12 orders: 100 % of its CPU time, about 3 s."
    )
    waits = in_call(
        "recvfrom", "unix", "work.py:19 orders", "lib/site-packages/celery/app/trace.py:9 f"
    )
    (said, _) = _pool(100 * MS, line_of(waits, 9, 9 * S, S), recv=9_900 * MS)
    assert said == unknown + (
        "It waits mostly at work.py:19 orders -> recvfrom: 9 times, 9 s, 1 s at most."
    )
    idle = in_call("read", "pipe", "lib/site-packages/billiard/connection.py:425 _recv")
    for spared in ((), (line_of(waits, 9, S, S),), (line_of(idle, 9, 9 * S, S),)):
        (said, _) = _pool(100 * MS, *spared, recv=9_900 * MS)
        assert "its jobs take" not in said
