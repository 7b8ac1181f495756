"""Who takes the CPUs that threads wait for (IO112): the program itself, or others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import GroupLimits
from iotrace.report.stacks import CpuSample
from tests.unit.verdict import hangs, made_busy
from tests.unit.verdict.made import MS, PID, S, call, findings, judged, process, stack, thread


@pytest.mark.parametrize(
    ("cpus", "more_ns", "severity"),
    [(None, 0, "low"), (1, 0, "high"), (None, 6 * S, "high")],
    ids=["others take them", "it may use one only", "its kin take them"],
)
def test_who_takes_the_cpus_is_told(cpus: int | None, more_ns: int, severity: str) -> None:
    starved = process([thread(user=5 * S, runq=5 * S, switches=1_600)])
    kin = replace(process([thread(PID + 1, user=more_ns, runq=0)]), pid=PID + 1, parent=PID)
    found = findings(replace(starved, limits=GroupLimits(cpus=cpus)), kin)["IO112"]
    assert found.severity == severity
    assert ("other programs take them" in found.title) is (severity == "low")
    assert ("confined" in found.advice) is (cpus == 1)
    assert found.evidence.get("may_use") == ("1 of the machine's 2 CPUs" if cpus else None)


def test_a_worker_that_began_late_and_took_all_cpus_is_not_kept_waiting_by_others() -> None:
    tids = range(PID, PID + 6)  # six threads, in the last 2 of 10 s, on both CPUs
    rows = [thread(tid, user=660 * MS, runq=1_340 * MS, started=8 * S) for tid in tids]
    found = findings(replace(process(rows), started_ns=8 * S))["IO112"]
    assert found.severity == "high"
    assert "other programs" not in found.title


def test_bursts_of_many_threads_are_not_said_to_be_others() -> None:
    """All at once, in a tenth of the time: on average they take a tenth of both CPUs."""
    tids = range(PID, PID + 200)
    rows = [thread(tid, user=10 * MS, runq=990 * MS, recv=9 * S, switches=9) for tid in tids]
    found = findings(process(rows))["IO112"]
    assert "at the same moments" in found.title
    alone = findings(process([thread(PID, user=10 * MS, runq=9_900 * MS, switches=9)]))["IO112"]
    assert alone.title.startswith("The machine is out of CPUs: other programs take them")


def test_the_lines_that_take_the_cpus_are_told() -> None:
    starved = process([thread(user=5 * S, runq=5 * S, switches=1_600)])
    at = CpuSample(PID, 100, 5 * S, 0, 0, 0, 0, stack("work.py:13 orders"))
    for cpus in (None, 1):  # others take them, and it takes them itself
        one = replace(starved, limits=GroupLimits(cpus=cpus), cpu_samples=(at,))
        told = ("work.py:13 orders: 100 % of its CPU time, about 5 s",)
        assert findings(one)["IO112"].lines == told


def test_threads_that_wait_for_each_others_cpus_are_an_effect_of_requests_that_compute() -> None:
    (one,) = made_busy.computing_requests(True)
    starved = thread(user=6 * S, runq=4 * S, switches=1_600)
    for cpus, causes in ((1, ["IO178"]), (None, ["IO178", "IO112"])):
        seen = replace(one, threads=(starved,), limits=GroupLimits(cpus=cpus))
        assert [row.id for row in judged(seen).findings] == causes, cpus


@pytest.mark.parametrize(("for_gil", "causes"), [(5, ["IO113"]), (1, ["IO119"])])
def test_who_accepts_late_for_want_of_the_gil_waits_for_what_computes(
    for_gil: int, causes: list[str]
) -> None:
    """Half of its time or more; else it is told what the thread does instead."""
    (one,) = hangs.accept_queue(True)
    asked = 9 - for_gil
    waits = call("futex", "gil", 601, wait=for_gil * S, errors={"ETIMEDOUT": 600})
    row = thread(recv=asked * S, gil=for_gil * S, accept=S)
    found = judged(replace(one, threads=(row,), calls=(*one.calls, waits))).findings
    assert [told.id for told in found][:1] == causes
    late = [told for told in found[0].symptoms if told.id == "IO171"]
    assert ("waits for Python's GIL" in late[0].title) is (causes == ["IO113"])


def test_locks_asked_for_as_the_gil_is_are_no_part_of_what_a_request_waits_for() -> None:
    """Its address is not known: half of their time looks like waits for it, and was for it."""
    (one,) = made_busy.computing_requests(True)
    (row,) = one.requests
    quick, slow = row.tiers
    service = {"user": 250 * 20 * MS, "lock": 400 * 20 * MS}
    queued = replace(slow, service_ns=service, latency_ns=20 * 650 * MS)
    seen = replace(one, requests=(replace(row, tiers=(quick, queued)),))
    for kind, told in (("short timeout", True), ("", False)):
        waits = call("futex", kind, 1_600, wait=8 * S, errors={"ETIMEDOUT": 1_590})
        found = judged(replace(seen, calls=(*one.calls, waits))).findings
        ids = {each.id for top in found for each in (top, *top.symptoms)}
        assert ("IO178" in ids) is told, kind


def test_a_lock_that_is_in_use_all_along_is_told_on_a_loaded_machine_too() -> None:
    """Eight threads wait for a CPU for most of the time; together they run for most of it, too, and
    wait for the GIL for longer than that. Else what they lack are CPUs."""
    tids = range(701, 709)
    for run_ms, gil_ms, waits_each, told in (
        (1_000, 2_000, 900, True),
        (1_000, 2_000, 40_000, True),  # 50 us each: handed over again and again
        (500, 2_000, 900, False),
        (1_000, 900, 900, False),
    ):
        rest = 10_000 - run_ms - gil_ms
        rows = [
            thread(tid, user=run_ms * MS, gil=gil_ms * MS, runq=rest * MS, switches=5_000)
            for tid in tids
        ]
        reads = [call("recvfrom", "tcp", 900, tid=tid) for tid in tids]
        waits = [
            call("futex", "gil", waits_each, tid=tid, wait=gil_ms * MS, errors={"ETIMEDOUT": 50})
            for tid in tids
        ]
        found = findings(process(rows, [*reads, *waits]))
        assert ("IO113" in found) is told, (run_ms, gil_ms)
