"""Each way to hang is found in a program that hangs so, and not in its twin that does not.

All programs run at once in one trace: a hang takes its time to be one.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.report.model import Finding, Process, Report, Symptom
from iotrace.snapshot.arithmetic import interval
from iotrace.tracing.trace import Trace
from iotrace.verdict.stuck import LEAST_NS
from tests.found import Found
from tests.kernel.tracing import check_verdict

_PROGRAM = Path(__file__).parent / "programs" / "hanging.py"
WAYS = {
    "full_pipe": "IO140",
    "opposite_locks": "IO141",
    "full_pool": "IO142",
    "taken_connections": "IO143",
    "held_lock": "IO144",
    "native_sleep": "IO145",
    "silent_client": "IO146",
    "result_under_lock": "IO140",
    "polled_result": "IO170",
    "busy_worker": "IO171",
    "busy_connections": "IO147",
    "queued_tasks": "IO160",
    "kept_connections": "IO161",
    "kept_threads": "IO163",
    "inherited_pipe": "IO140",
    "refused_connections": "IO174",
    "kept_transactions": "IO177",
    "slow_service": "IO165",
    "unanswered_connect": "IO164",
    "replaced_workers": "IO166",
    "sleeping_requests": "IO185",
    "full_server": "IO186",
    "one_worker": "IO187",
    "stopped_child": "IO190",
    "busy_pipe": "IO201",
    "read_by_another": "IO202",
    "endless_shutdown": "IO193",
    "told_in_vain": "IO208",
    "inherited_connection": "IO206",
    "shared_connection": "IO204",
    "main_thread_gone": "IO211",
}
_SERVE = ("busy_connections", "slow_service", "sleeping_requests")
"""They begin when they are traced, and say when they serve: judged from then on."""
_BEGIN_TRACED = (*_SERVE, "one_worker")
_IDLE = (
    "kept_connections", "full_server", "endless_shutdown", "told_in_vain", "main_thread_gone",
)  # fmt: skip
_OF_A_CHILD = ("busy_pipe", "shared_connection", "main_thread_gone")
_OF_TASKS = ("busy_connections", "queued_tasks", "sleeping_requests")
_LOOKS = 4
_MOST_THREADS = 1 << 13
"""kept_threads begins one after the other, and does not end."""
_SEVERITIES = {"kept_connections": "medium", "kept_threads": "medium", "read_by_another": "low"}
"""It goes on serving until the limit is reached; whether an answer is owed is not known."""
FORMS = ("wrong", "fixed")
Seen = dict[tuple[str, str], tuple[Process, Found]]


@contextlib.contextmanager
def _running(form: str, way: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, str(_PROGRAM), form, way],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    with contextlib.ExitStack() as stack:
        programs = {
            (form, way): stack.enter_context(_running(form, way)) for way in WAYS for form in FORMS
        }
        pids = {key: program.pid for key, program in programs.items()}
        trace = stack.enter_context(Trace(Limits(threads=_MOST_THREADS)))
        for pid in pids.values():
            trace.follow(pid, True)
        for (_, way), program in programs.items():
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.close()
            if way in _BEGIN_TRACED:
                program.stdout.readline()  # it serves
        served = trace.snapshot()
        time_ns = time.monotonic_ns()
        # A hang is one that lasts for half of the trace: it takes a while to follow so many.
        until_ns = time_ns + max(3 * LEAST_NS, 2 * (time_ns - trace.started_ns))
        _follow_until(trace, until_ns)
        while not _looked_at(trace, pids):
            _follow_until(trace, time.monotonic_ns() + LEAST_NS)
        trace.look()
        now = trace.snapshot()
        report = trace.report(now)
        serving = trace.report(interval(now, served))
    check_verdict(report)
    yield {
        (form, way): (
            next(one for one in report.processes if one.pid == pid),
            _found(serving if way in _SERVE else report, pid, children=way in _OF_A_CHILD),
        )
        for (form, way), pid in pids.items()
    }


def _follow_until(trace: Trace, until_ns: int) -> None:
    while time.monotonic_ns() < until_ns:
        trace.processes_alive()
        time.sleep(0.2)


def _looked_at(trace: Trace, pids: dict[tuple[str, str], int]) -> bool:
    """Whether the tasks of each program that has some were seen often enough to be judged."""
    report = trace.report(trace.snapshot(), judged=False)
    looks = {one.pid: one.tasks.looks if one.tasks else 0 for one in report.processes}
    return all(looks[pid] >= _LOOKS for (_, way), pid in pids.items() if way in _OF_TASKS)


def _found(report: Report, pid: int, *, children: bool = False) -> Found:
    """Findings and symptoms of one process, whosoever's symptoms they are; or of its children."""
    its = {pid, *(one.pid for one in report.processes if children and one.parent == pid)}
    found: Found = {}
    for finding in report.findings:
        told: tuple[Finding | Symptom, ...] = (finding, *finding.symptoms)
        found |= {one.id: one for one in told if one.pid in its}
    return found


@pytest.mark.parametrize("way", WAYS)
def test_a_hang_is_found_with_its_line(seen: Seen, way: str) -> None:
    process, found = seen["wrong", way]
    assert WAYS[way] in found, (found, process.tasks)
    assert found[WAYS[way]].severity == _SEVERITIES.get(way, "high"), found[WAYS[way]]
    # A query of an event loop sleeps in no call, one that is answered at once in no slow one; a
    # server that accepts nobody is idle in its loop.
    without_line = way in (*_SERVE, *_IDLE)
    assert found[WAYS[way]].lines or without_line, found[WAYS[way]]


@pytest.mark.parametrize("way", WAYS)
def test_the_program_that_does_not_hang_has_nothing(seen: Seen, way: str) -> None:
    _, found = seen["fixed", way]
    assert not set(WAYS.values()) & found.keys(), found


def test_the_call_of_each_thread_is_in_the_report(seen: Seen) -> None:
    process, found = seen["wrong", "full_pipe"]
    call = process.threads[0].in_call
    assert call is not None
    assert (call.syscall, call.kind, call.others) == ("write", "pipe", (process.pid,))
    assert call.own_stack[0].function == "full_pipe"
    assert call.since_ns == 0
    assert call.wait_ns >= LEAST_NS
    assert "nobody reads it" in found["IO140"].title


def test_who_has_inherited_a_pipe_is_named(seen: Seen) -> None:
    _, found = seen["wrong", "inherited_pipe"]
    assert re.search(r"still open in process \d+ sleep", found["IO140"].title)


def test_locks_are_told_apart(seen: Seen) -> None:
    process, found = seen["wrong", "opposite_locks"]
    calls = [one.in_call for one in process.threads if one.in_call is not None]
    locks = [call.object for call in calls if call.stack[0].function.endswith("take_both")]
    assert len(locks) == len(set(locks)) == 2
    assert "Deadlock" in found["IO141"].title


def test_who_ends_a_wait_is_in_the_report(seen: Seen) -> None:
    process, _ = seen["wrong", "held_lock"]
    wakes = [one for one in process.wakes if one.kind == "" and one.waker_stack]
    assert wakes
    assert {one.stack[0].function.rsplit(".")[-1] for one in wakes} == {"handle"}
    assert {one.tid for one in wakes} <= {row.tid for row in process.threads}
    assert any(one.waker_stack[0].function.endswith("handle") for one in wakes)


def test_a_lock_under_which_a_result_is_waited_for(seen: Seen) -> None:
    _, found = seen["wrong", "result_under_lock"]
    assert "Deadlock" in found["IO140"].title
    assert "a lock that it has" in found["IO140"].title
