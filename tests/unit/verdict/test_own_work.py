# SPDX-License-Identifier: Apache-2.0
"""What is said of scripts and batches in which no rule found anything: where their time goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import OpenSockets, Process
from iotrace.report.stacks import CpuSample, InCall, Line
from tests.unit.verdict import hangs, made_ends
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

PACKAGES = "lib/site-packages"


def _outcome(one: Process) -> str:
    (said,) = [row.outcome for row in judged(one).processes]
    return said


def _place(*processes: Process) -> str:
    """What the finding on the place says: title and lines; "" if there is none."""
    found = [one for one in judged(*processes).findings if one.id == "IO225"]
    return "; ".join(text for one in found for text in (one.title, *one.lines))


def _runs_children() -> Process:
    (one,) = made_ends.runs_children(True)
    return one


def test_of_a_script_the_line_is_told_that_it_waits_at() -> None:
    assert _outcome(_runs_children()) == ""
    assert _place(_runs_children()) == (
        "Where the time goes (nothing is proven wrong): python3 waits for 90 % of the time at "
        "job.py:11 export; "
        "job.py:11 export -> wait4: 30 times, 9 s, 310 ms at most"
    )


@pytest.mark.parametrize(
    ("waits", "told"),
    [
        (in_call("wait4", "", "lib/subprocess.py:1226 Popen.wait", "job.py:11 export"), True),
        (in_call("fsync", "file", "job.py:11 export"), True),
        (in_call("clock_nanosleep", "", "job.py:11 export"), False),
        (in_call("futex", "", "lib/queue.py:171 Queue.get", "job.py:11 export"), False),
        (in_call("recvfrom", "tcp", "job.py:11 export"), False),
        (
            in_call("recvfrom", "tcp", f"{PACKAGES}/redis/client.py:9 listen", "a.py:1 f"),
            False,
        ),
        (
            in_call("recvfrom", "tcp", "a.py:1 f", f"{PACKAGES}/pika/channel.py:9 _deliver"),
            True,
        ),
        (in_call("recvfrom", "tcp", "a.py:1 f", f"{PACKAGES}/click/core.py:9 invoke"), False),
    ],
)
def test_a_program_that_waits_for_work_has_no_such_place(waits: InCall, told: bool) -> None:
    one = replace(_runs_children(), lines=(line_of(waits, 30, 9 * S, 310 * MS),))
    assert bool(_place(one)) is told
    assert bool(_outcome(one)) is not told


def test_what_a_supervisor_waits_for_all_along_is_no_such_place() -> None:
    (line,) = _runs_children().lines
    one = replace(_runs_children(), lines=(replace(line, calls=0, in_flight=1),))
    assert not _place(one)


def test_where_a_grave_finding_stands_the_place_is_not_told() -> None:
    one = _runs_children()
    (sick,) = hangs.stuck(True)
    found = judged(one, replace(sick, pid=PID + 1, parent=PID)).findings
    assert any(one.severity == "high" for one in found)
    assert "IO225" not in {one.id for one in found}


def test_a_share_says_that_it_is_of_the_threads_time() -> None:
    idle = replace(_runs_children(), threads=(thread(PID, child=9 * S, file=S),))
    assert "python3 waits for 90 % of the time at job.py:11 export" in _place(idle)


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
    assert not _place(one)


def test_no_line_is_told_of_a_script_that_is_here_and_there() -> None:
    one = _runs_children()
    (line,) = one.lines
    others = tuple(replace(line, stack=stack(f"job.py:{number} step")) for number in (30, 40, 50))
    assert "mostly at" not in _outcome(replace(one, lines=others))


def test_no_line_is_told_that_is_a_small_part_of_what_its_calls_wait() -> None:
    """Calls that are quick have no line each, and may be many."""
    one = _runs_children()
    for quick, told in ((7 * S, True), (10 * S, False)):
        many = call("read", "pipe", 90_000, wait=quick, bytes=90_000)
        assert bool(_place(replace(one, calls=(*one.calls, many)))) is told


def _pool(user: int, *lines: Line, job: tuple[str, ...] = (), **rest: int) -> tuple[str, str]:
    """Of a task queue's main process, and of one that it gives jobs through pipes: the first one's
    outcome, and the place where the time goes."""
    jobs = [call("read", "pipe", 29), call("write", "pipe", 29)]
    worker = process([thread(user=user, **rest)], jobs, pid=PID + 1, parent=PID)
    at = CpuSample(PID, 100, user, 0, 0, 0, 0, stack("work.py:12 orders", *job))
    queue = replace(event_loop(), sockets=OpenSockets(3, (), 0, 0))
    both = queue, replace(worker, lines=lines, cpu_samples=(at,))
    return judged(*both).processes[0].outcome, _place(*both)


def test_jobs_that_take_much_of_the_time_are_no_all_clear() -> None:
    """Nobody is seen to wait for them: how long each takes is not known."""
    unknown = "No rule found a fault. How long its jobs take is not known. "
    computes = "work.py:12 orders: 100 % of its CPU time, about 3 s"
    said, place = _pool(3 * S, recv=7 * S)
    assert said == f"{unknown}Where it computes most: {computes}."
    assert not place, "a pool of its own works for it alone"
    celery = "lib/site-packages/celery/app/trace.py:9 trace_task"
    said, place = _pool(3 * S, job=(celery,), recv=7 * S)
    assert not said
    title = "Where the time goes (nothing is proven wrong): jobs"
    assert place == f"{title} compute mostly in work.py orders; {computes}"
    waits = in_call("recvfrom", "unix", "work.py:19 orders", celery)
    said, place = _pool(100 * MS, line_of(waits, 9, 9 * S, S), recv=9_900 * MS)
    assert not said
    assert place == (
        f"{title} wait mostly at work.py:19 orders; "
        "work.py:19 orders -> recvfrom: 9 times, 9 s, 1 s at most"
    )
    idle = in_call("read", "pipe", "lib/site-packages/billiard/connection.py:425 _recv")
    for spared in ((), (line_of(waits, 9, S, S),), (line_of(idle, 9, 9 * S, S),)):
        said, place = _pool(100 * MS, *spared, recv=9_900 * MS)
        assert "its jobs take" not in said
        assert not place
