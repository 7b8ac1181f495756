"""What a trial trace of the doctor's must be right about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.doctor import trial
from iotrace.doctor.check import Check, Status
from iotrace.engine.loader import PROBE_REFUSED
from iotrace.errors import Unsupported
from iotrace.report.detail import Detail
from iotrace.report.model import Lost, Report
from tests.unit import reports

PID = 4711
MS = 1_000_000


def _report(writes: int = 102, slept_ns: int = 23 * MS, gap_ns: int = 0, lost: int = 0) -> Report:
    base = reports.event_loop()
    process = base.processes[0]
    thread = reports.thread(PID, "worker", 40 * MS, user=5 * MS, sleep=slept_ns, recv=0)
    thread = replace(thread, lifetime_ns=thread.lifetime_ns + gap_ns)
    call = replace(process.calls[0], syscall="write", kind="pipe", calls=writes)
    process = replace(process, pid=PID, threads=(thread,), calls=(call,))
    quality = replace(base.quality, lost=Lost(probes=lost))
    return replace(base, processes=(process,), quality=quality)


def test_a_right_trial_has_no_fault() -> None:
    for detail in Detail:
        assert trial._faults(_report(), PID, detail) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (dict(writes=101), "101 writes to pipes, not 102"),
        (dict(slept_ns=21 * MS), "21.0 ms of sleep, not 22"),
        (dict(gap_ns=2 * MS), "2.0 ms of a thread's time are in no state"),
        (dict(gap_ns=-2 * MS), "2.0 ms of a thread's time are in no state"),
        (dict(lost=3), "3 records or probe runs were lost"),
    ],
)
def test_each_fault_is_told(wrong: dict[str, int], told: str) -> None:
    assert trial._faults(_report(**wrong), PID, Detail.FULL) == [told]


def test_a_process_that_is_not_seen() -> None:
    assert trial._faults(_report(), PID + 1, Detail.FULL) == ["the process is not in the report"]


def test_counts_are_those_of_full_detail() -> None:
    assert trial._faults(_report(writes=0), PID, Detail.LIGHT) == []


def _tried(failing: tuple[Detail, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[Check, ...]:
    def traced(detail: Detail, absent: frozenset[str]) -> tuple[Report, int, bool]:
        if detail in failing:
            raise Unsupported("No.", why="It fails.", paste="iotrace doctor", details="clang")
        return _report(), PID, detail is not Detail.LIGHT

    monkeypatch.setattr(trial, "_traced", traced)
    return trial.checks(frozenset())


def test_a_detail_that_fails_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    full, sockets, light = _tried((Detail.FULL,), monkeypatch)
    assert (full.status, full.detail) == (Status.DEGRADED, "No. It fails.")
    assert full.loses == "attach --detail full"
    assert full.paste["debian"] == "sudo iotrace attach --dry-run --detail full -v"
    assert sockets.status is Status.OK
    assert (light.status, light.loses) == (
        Status.DEGRADED, "quick compiling: it takes twice as long",
    )  # fmt: skip


def test_where_every_detail_fails_nothing_can_be_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {check.status for check in _tried(tuple(Detail), monkeypatch)} == {Status.MISSING}


def test_a_trial_that_is_wrong_is_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_traced", lambda *_: (_report(lost=1), PID, True))
    checks = trial.checks(frozenset())
    assert {check.status for check in checks} == {Status.DEGRADED}
    assert all("1 records or probe runs were lost" in check.detail for check in checks)


def test_a_probe_that_the_kernel_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    base = _report()
    unavailable = {
        "probe_ns": "it would slow each of them",
        "pickup": "this kernel has no tracepoint sk_data_ready",
        "connect time": f"{PROBE_REFUSED} on inet_sock_set_state",
    }
    report = replace(base, quality=replace(base.quality, unavailable=unavailable))
    monkeypatch.setattr(trial, "_traced", lambda detail, absent: (report, PID, True))
    for answer in trial.checks(frozenset()):
        assert (answer.status, answer.loses) == (Status.DEGRADED, "connect time")
        assert "inet_sock_set_state" in answer.detail
