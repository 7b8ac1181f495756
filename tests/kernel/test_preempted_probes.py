"""Kernels that preempt probes skip runs of them: nothing is lost, and every ledger closes.

Here probes do not run because they are detached, so that every run is a skipped one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from iotrace.engine.map_limits import Limits
from iotrace.engine.tracepoints import spare_names
from iotrace.report.detail import Detail
from iotrace.report.model import Process, Report
from iotrace.tracing.trace import Trace
from tests.kernel.targets import Target
from tests.kernel.test_counts import EXPECTED
from tests.kernel.tracing import call_of, process_of, report_of, tracing

_PREEMPTED = frozenset({"preempt_off"})
_EXITS = ("sys_exit", *spare_names("on_sys_exit"))
"""All copies of it, as their links are called."""


@contextmanager
def _without(*links: str, detail: Detail = Detail.FULL) -> Iterator[tuple[Trace, Target]]:
    """A program of known counts is traced by probes with spare copies; some never run."""
    with (
        Target("calls.py") as target,
        tracing(target.pid, limits=Limits(detail=detail), absent=_PREEMPTED) as trace,
    ):
        for link in links:
            os.close(trace.probes._attached.links.pop(link))
        target.go()
        target.wait_until_finished()
        yield trace, target


def _wrong(process: Process) -> dict[tuple[str, str], object]:
    """Rows of calls whose counts, bytes or errors are not those of the program."""
    found = {}
    for (syscall, kind), (calls, moved, errors) in EXPECTED.items():
        row = call_of(process, syscall, kind)
        has = row.calls, row.bytes or 0, dict(row.errors)
        if has != (calls, moved, errors):
            found[syscall, kind] = has
    return found


def _notes(report: Report) -> str:
    return " ".join(report.quality.notes)


@pytest.mark.parametrize(
    "missing", [(), _EXITS[2:3], _EXITS[:1], _EXITS[:2], _EXITS[:-1], (_EXITS[0], *_EXITS[2:])]
)
def test_one_copy_counts_and_never_two(missing: tuple[str, ...]) -> None:
    with _without(*missing) as (trace, target):
        report = report_of(trace)
    assert _wrong(process_of(report, target.pid)) == {}
    assert "not seen" not in _notes(report)


def test_calls_whose_beginning_is_never_seen_are_counted() -> None:
    with _without("sys_enter") as (trace, target):
        report = report_of(trace)
    process = process_of(report, target.pid)
    assert _wrong(process) == {}
    assert "the beginning of" in _notes(report)
    row = call_of(process, "nanosleep", "")
    assert row.waits_ns is not None
    assert row.waits_ns.count == row.calls  # each was found in the saved registers


def test_calls_whose_end_is_never_seen_are_counted_without_results() -> None:
    with _without(*_EXITS) as (trace, target):
        snapshot = trace.snapshot()
        report = trace.report(snapshot)
    process = process_of(report, target.pid)
    assert report.quality.lost.probes == snapshot.losses.unknown_results > 1000
    assert "the end of" in _notes(report)
    row = call_of(process, "pwrite64", "file")
    assert (row.calls, row.bytes) == (31, 0)


@pytest.mark.parametrize(
    "missing", [(), ("sock_recv_length", "sock_send_length", "skb_copy_datagram_iovec")]
)
def test_sockets_detail_counts_once(missing: tuple[str, ...]) -> None:
    with _without(*missing, detail=Detail.SOCKETS) as (trace, target):
        process = process_of(report_of(trace), target.pid)
    row = call_of(process, "recvfrom", "tcp")
    assert (row.calls, row.bytes) == (39 + 13, 39 * 17 + 13 * 19)
    assert row.copy_ns


@pytest.mark.parametrize("missing", [(), ("task_newtask", "sched_process_exec")])
def test_new_threads_and_programs_are_tracked_once(missing: tuple[str, ...]) -> None:
    with (
        Target("children.py", "forks", 7) as target,
        tracing(target.pid, absent=_PREEMPTED) as trace,
    ):
        for link in missing:
            os.close(trace.probes._attached.links.pop(link))
        target.go()
        target.wait_until_finished()
        report = report_of(trace)
    assert len(report.processes) == 1 + 7
    for process in report.processes[1:]:
        assert call_of(process, "sendto", "unix").calls == 3
