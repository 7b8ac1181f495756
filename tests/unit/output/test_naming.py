"""Ended threads and child processes, added up, read as what they are."""

from dataclasses import replace

from iotrace.output import formats, naming
from iotrace.output.shown_part import split
from iotrace.output.tables import loops_table, processes_table, threads_table
from iotrace.report.model import Loop, Process, Ready, StallCall, Stalls
from tests.unit import reports
from tests.unit.output.drawing import drawn, rows
from tests.unit.reports import MS, S

PARENT = reports.process(
    pid=30895, name="python", threads=(reports.thread(30895, "python", 10 * S, user=MS, child=0),)
)


def ended(count: int = 997, parent: int | None = 30895) -> Process:
    thread = reports.thread(0, "worker", 41 * S, user=13 * S, recv=0)
    return reports.process(
        pid=0,
        parent=parent,
        name="worker",
        count=count,
        ended_ns=9 * S,
        threads=(replace(thread, count=count, ended_ns=9 * S),),
        calls=(reports.call(0, "read", "pipe", 11, wait_ns=MS),),
    )


def title(process: Process) -> str:
    return naming.process_title(process, (PARENT,))


def test_the_heading_of_a_sum() -> None:
    assert (
        title(ended()) == "997 ended child processes of 30895 (python), 41.0 s of wall time in all"
    )
    assert title(ended(1)) == "1 ended child process of 30895 (python), 41.0 s of wall time in all"
    assert title(ended(3, 7)) == "3 ended child processes of 7, 41.0 s of wall time in all"
    assert title(ended(3, None)) == "3 ended child processes, 41.0 s of wall time in all"


def test_the_heading_of_one_process() -> None:
    assert title(PARENT) == "Process 30895 python, traced for 10.0 s"
    over = replace(PARENT, ended_ns=S, python="3.11.2")
    assert title(over) == "Process 30895 python (Python 3.11.2), traced for 10.0 s, ended"


def test_a_sum_is_printed_after_its_parent_though_it_cost_more() -> None:
    other = reports.process(
        pid=5, name="other", threads=(reports.thread(5, "other", 10 * S, user=5 * S, poll=0),)
    )
    shown = formats.render(reports.report(ended(), PARENT, other))
    headings = [
        line for line in shown.splitlines() if line.startswith(("Process ", "997 ended child"))
    ]
    assert headings == [
        "Process 5 other, traced for 10.0 s",
        "Process 30895 python, traced for 10.0 s",
        "997 ended child processes of 30895 (python), 41.0 s of wall time in all",
    ]
    assert "System calls of ended threads (1)" in shown


def test_sums_keep_their_place_without_their_parent() -> None:
    one, two = ended(3, 7), ended(5, 8)
    assert naming.after_parents([two, PARENT, one]) == [two, PARENT, one]


def test_two_sums_follow_their_own_parents() -> None:
    other = replace(PARENT, pid=7)
    of_parent, of_other = ended(), ended(3, 7)
    ordered = naming.after_parents([of_other, of_parent, PARENT, other])
    assert ordered == [PARENT, of_parent, other, of_other]


def test_workers_follow_their_parent_however_little_it_did() -> None:
    one, two = (replace(PARENT, pid=pid, parent=PARENT.pid) for pid in (8, 9))
    grandchild = replace(PARENT, pid=10, parent=9)
    ordered = naming.after_parents([grandchild, two, one, PARENT])
    assert ordered == [PARENT, two, grandchild, one]


def test_parents_of_each_other_are_all_there() -> None:
    rings = [replace(PARENT, pid=pid, parent=parent) for pid, parent in ((8, 9), (9, 8), (7, 7))]
    ordered = naming.after_parents([*rings, PARENT])
    assert sorted(one.pid for one in ordered) == [7, 8, 9, PARENT.pid]


def test_the_parent_of_the_busiest_is_shown_with_them() -> None:
    workers = [
        reports.process(
            pid=pid, name="worker", parent=5,
            threads=(reports.thread(pid, "worker", 10 * S, user=pid * S // 1000, poll=0),),
        )
        for pid in range(1001, 1012)
    ]  # fmt: skip
    idle = (reports.thread(5, "master", 10 * S, user=0, poll=0),)
    master = reports.process(pid=5, name="master", threads=idle)
    detailed, others = split(reports.report(*workers, master), 3)
    assert [one.pid for one in detailed] == [5, 1011, 1010, 1009]
    assert len(others) == 11 + 1 - len(detailed), "workers and master without sections"


def test_one_line_a_process() -> None:
    lines = rows(processes_table.table([ended(), PARENT], "Processes", None), 132)
    assert [line.split()[:2] for line in lines] == [["30895", "python"], ["x997", "worker"]]
    assert "worker (ended, of 30895)" in lines[1]


def test_the_tid_of_ended_threads() -> None:
    one = replace(ended(1).threads[0], count=1)
    lines = rows(threads_table.table(replace(ended(), threads=(ended().threads[0], one)), None))
    assert [line.split()[0] for line in lines] == ["x997", "ended"]


def test_the_loop_of_ended_threads() -> None:
    loop = Loop(
        0, "poll", None, None, 1, 0, 0, Ready(1.0, 1), None,
        stalls=Stalls(2, 5 * MS, 5 * MS, 0, {}, StallCall("read", "tcp", 3, MS)),
    )  # fmt: skip
    shown = drawn(loops_table.table(replace(ended(), loops=(loop,)), None))
    assert shown.splitlines()[0] == "Event loop of ended threads"
    assert "A thread that has ended was busy for over 50 ms 2 times" in shown
