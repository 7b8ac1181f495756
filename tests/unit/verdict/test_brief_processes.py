"""Processes that begin and end within milliseconds: their shares of that are no findings."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Call, Process
from tests.unit.verdict.made import MS, PID, S, call, findings, process, thread
from tests.unit.verdict.made_busy import imports_for_each_job


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


def _fewer(row: Call) -> Call:
    return replace(row, calls=210) if row.syscall == "openat" else row
