"""Processes that begin and end within milliseconds: their shares of that are no findings."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Call, Process
from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.failures import lines_of_calls
from iotrace.verdict.process_profile import profile_of
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    findings,
    in_call,
    line_of,
    process,
    thread,
)
from tests.unit.verdict.made_busy import brief_workers, imports_for_each_job


def _child(lived_ns: int, failed: int) -> Process:
    """A program that is started, and looks for its files where they are not."""
    looks = call("newfstatat", "", 3 * failed // 2, errors={"ENOENT": failed}, tid=701)
    runs = thread(701, kernel=lived_ns // 2, sleep=lived_ns // 2)
    one = process([replace(runs, syscalls=2 * failed)], [looks], pid=701)
    return replace(one, parent=PID, started_ns=S, ended_ns=S + lived_ns)


def _parent() -> Process:
    return process([thread(child=10 * S)])


def test_what_a_process_does_in_a_millisecond_is_no_rate() -> None:
    assert "IO131" in findings(_parent(), _child(2 * S, 4_000))
    assert not findings(_parent(), _child(50 * MS, 4_000))


def test_few_failures_are_none_that_go_on() -> None:
    assert not findings(_parent(), _child(160 * MS, 300))


def test_a_job_that_computes_is_not_all_imports() -> None:
    """It starts an interpreter, which opens 210 files, and computes for ten times as long."""
    parent, *jobs = imports_for_each_job(wrong=True)
    assert "IO175" in findings(parent, *jobs)
    short = [replace(one, calls=tuple(_fewer(row) for row in one.calls)) for one in jobs]
    assert "IO175" not in findings(parent, *short)


def test_brief_jobs_say_together_which_line_imports() -> None:
    """Two samples of each; code of modules that are imported has lost its file by then."""
    inner = (Frame("?", "?", None), Frame("g", "/lib/site-packages/boto3/utils.py", 3))
    own = (*inner, Frame("<module>", "put.py", 5))
    rows = tuple(CpuSample(PID, 1, 200 * MS, 0, 0, 0, 0, one) for one in (own, inner))
    parent, *jobs = imports_for_each_job(wrong=True)
    found = findings(parent, *(replace(one, cpu_samples=rows) for one in jobs))["IO175"]
    assert list(found.lines) == ["put.py:5 <module>: 50 % of their 26 CPU samples"]


def test_a_tool_that_is_started_again_and_again_is_named() -> None:
    """Each start takes long, so that they are few; all of its code is in packages."""
    inner = Frame("dedent", "/usr/lib/python3.11/textwrap.py", 436)
    scipy = Frame("parse", "/lib/site-packages/scipy/doc.py", 142)
    rows = (CpuSample(PID, 9, 1800 * MS, 0, 0, 0, 0, (inner, scipy)),)
    parent, *jobs = imports_for_each_job(wrong=True)
    opens = call("openat", "", 1_489)
    looks = call("newfstatat", "", 7_427)
    tools = [
        replace(
            process([thread(one.pid, user=1800 * MS)], [opens, looks], pid=one.pid, parent=PID),
            name="gunc", cmdline=("python", "/usr/bin/gunc", "-v"), cpu_samples=rows,
            started_ns=number * 2 * S + MS, ended_ns=number * 2 * S + 1_801 * MS,
        )
        for number, one in enumerate(jobs[:4])
    ]  # fmt: skip
    reads = in_call("read", "pipe", "lib/subprocess.py:1196 Popen.communicate", "pipe.py:12 main")
    starter = replace(parent, cmdline=("python", "pipe.py"), lines=(line_of(reads, 4, S, S),))
    found = findings(starter, *tools)["IO175"]
    assert found.title.startswith("gunc is started again and again, and imports its modules anew")
    assert found.lines[0] == "pipe.py:12 main -> starts gunc, and waits for it"
    assert "scipy 100 %" in found.lines[1]
    assert "--version" in found.advice
    copies = [replace(one, cmdline=starter.cmdline) for one in tools]
    assert "for each job" in findings(starter, *copies)["IO175"].title
    idle = [
        replace(one, threads=(thread(one.pid, user=900 * MS, sleep=900 * MS),)) for one in tools
    ]
    assert "IO175" not in findings(starter, *idle)


def test_the_line_of_a_call_is_one_on_such_a_descriptor() -> None:
    """Its own thread's, else another's that does the same."""
    lines = [
        line_of(in_call("write", kind, f"app.py:{number} work"), 9, S, S, tid)
        for number, (kind, tid) in enumerate((("pipe", PID), ("file", 702), ("file", 703)), 1)
    ]
    seen = profile_of(replace(process([thread(user=S)]), lines=tuple(lines)), 10 * S)
    for kind, tid, found in (("file", 703, [3]), ("file", PID, [2, 3]), ("tcp", PID, [])):
        rows = lines_of_calls(seen, call("write", kind, 9, tid=tid))
        assert [one.stack[0].line for one in rows] == found


def test_what_the_parent_does_beside_is_no_cost_of_brief_processes() -> None:
    """Its samples tell; where there are too few, what starting so many takes."""
    parent, *workers = brief_workers(wrong=True)
    (row,) = parent.cpu_samples
    work = Frame("main", "/srv/evolve.py", 20)
    other = replace(row, samples=1_800, cpu_ns=2_250 * MS, own=0, stack=(work,))
    a_part = replace(row, cpu_ns=750 * MS)
    for samples, cost in (
        ((row,), 3_200),
        ((a_part, other), 950),
        ((replace(row, samples=9),), 460),
    ):
        told = findings(replace(parent, cpu_samples=samples), *workers)
        assert ("IO203" in told) is (cost >= 2_000)
        if "IO203" in told:
            assert told["IO203"].cost_ns == cost * MS


def _fewer(row: Call) -> Call:
    return replace(row, calls=210) if row.syscall == "openat" else row
