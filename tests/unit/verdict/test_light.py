"""A model told from sleeps alone, and findings that cannot be looked for."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.detail import Detail
from iotrace.report.model import Process, Report
from iotrace.verdict.rules.registry import RULES
from tests.unit.light import lit
from tests.unit.verdict import hangs, made
from tests.unit.verdict.made import MS


def _judged(process: Process, detail: Detail = Detail.LIGHT) -> Report:
    return made.judged(lit(replace(process, sockets=made.listener()), detail), detail=detail)


def _model(process: Process) -> tuple[str, str]:
    model = _judged(process).processes[0].model
    assert model is not None
    return model.id, model.title


def test_a_loop_is_told_by_where_it_sleeps() -> None:
    assert _model(made.event_loop()) == ("epoll", "event loop on epoll (level-triggered)")


def test_a_blocking_thread_is_told_by_where_it_sleeps() -> None:
    assert _model(made.blocking())[0] == "blocking"


def test_the_evidence_says_what_it_is_told_from() -> None:
    model = _judged(made.event_loop()).processes[0].model
    assert model is not None
    assert any("light detail" in one for one in model.evidence)
    assert any("of its sleep is in epoll_wait" in one for one in model.evidence)


def test_a_thread_that_never_sleeps_may_be_anything() -> None:
    spinning = made.process(
        [made.thread(user=9_000 * MS, kernel=1_000 * MS)],
        [made.call("recvfrom", "tcp", 100_000, eagain=99_000)],
        (),
        [made.descriptor(7)],
    )
    verdict = _judged(spinning)
    model = verdict.processes[0].model
    assert model is not None
    assert model.id == "unknown"
    assert any("can't be told from one that computes" in one for one in model.evidence)
    assert "IO101" in verdict.unchecked
    assert not verdict.findings


def test_what_needs_counts_is_not_looked_for() -> None:
    light = _judged(made.event_loop()).unchecked
    assert {"IO101", "IO103", "IO106", "IO110", "IO116", "IO120"} <= set(light)
    assert not {"IO104", "IO112", "IO113"} & set(light)
    assert "IO105" not in _judged(made.event_loop(), Detail.SOCKETS).unchecked
    assert _judged(made.event_loop(), Detail.FULL).unchecked == ()
    assert set(light) == {rule.id for rule in RULES if rule.least is not Detail.LIGHT}


def test_connections_that_are_all_in_use_are_found_by_reads_and_writes() -> None:
    (wrong,), (right,) = hangs.busy_connections(True), hangs.busy_connections(False)
    assert "IO147" in {one.id for one in _judged(wrong, Detail.SOCKETS).findings}
    assert "IO147" not in {one.id for one in _judged(right, Detail.SOCKETS).findings}


def test_a_blocking_call_in_a_loop_is_found_by_its_wait() -> None:
    loop = made.process(
        [made.thread(user=100 * MS, poll=8_000 * MS, sleep=1_900 * MS)],
        [
            made.call("epoll_wait", "", 1_009, wait=8_000 * MS),
            made.call("clock_nanosleep", "", 19, wait=1_900 * MS),
        ],
        [made.loop(wait=8_000 * MS)],
    )
    (found,) = _judged(loop).findings
    assert found.id == "IO104"
    assert (found.evidence["call"], found.evidence["sleeps"]) == ("clock_nanosleep", 19)
    assert "calls" not in found.evidence
