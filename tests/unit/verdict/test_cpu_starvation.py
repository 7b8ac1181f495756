"""Who takes the CPUs that threads wait for (IO112): the program itself, or others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import GroupLimits
from tests.unit.verdict.made import MS, PID, S, findings, process, thread


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
