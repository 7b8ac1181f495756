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


def _pre_forked(watched: int, served_ns: int, sockets: int = 1) -> Process:
    """A worker that selects, accepts, and sleeps in requests; what it has read from slept."""
    one = made.process(
        [made.thread(user=100 * MS, poll=7_000 * MS, sleep=2_600 * MS, recv=300 * MS)],
        [
            made.call("pselect6", "", 480, wait=7_000 * MS),
            made.call("clock_nanosleep", "", 7, wait=2_600 * MS),
            made.call("recvfrom", "tcp", 113, wait=300 * MS),
        ],
        [made.loop("pselect6", 480, wait=7_000 * MS, watched=watched, nfds=9)],
        [
            made.descriptor(7, wait=served_ns, nonblocking=False),
            made.descriptor(9, local="10.0.0.7:51000", peer="10.0.0.9:80", wait=300 * MS),
        ],
    )
    return replace(one, sockets=replace(made.listener(), count=sockets))


def _verdict(process: Process) -> tuple[str, set[str]]:
    verdict = made.judged(lit(process), detail=Detail.LIGHT)
    model = verdict.processes[0].model
    assert model is not None
    return model.title, {one.id for one in verdict.findings}


def test_a_multiplexer_that_watches_listeners_alone_makes_no_loop() -> None:
    title, found = _verdict(_pre_forked(watched=2, served_ns=300 * MS))
    assert (title, found) == ("single thread, blocking I/O", set())


def test_where_nothing_that_slept_tells_how_connections_are_read_nothing_is_said() -> None:
    verdict = made.judged(lit(_pre_forked(2, 0)), detail=Detail.LIGHT)
    model = verdict.processes[0].model
    assert model is not None
    assert model.id == "unknown"
    assert any("2 descriptors, no more than 1 listening socket" in one for one in model.evidence)
    assert "IO104" not in {one.id for one in verdict.findings}


def test_a_loop_that_watches_its_connections_is_one_and_blocks() -> None:
    assert _verdict(_pre_forked(9, 0, 8)) == ("event loop on select", {"IO104"})
    bare = _verdict(_pre_forked(watched=2, served_ns=0, sockets=2))
    assert bare == ("event loop on select", {"IO104"})


def test_a_loop_is_told_though_it_blocks_in_calls_to_others() -> None:
    """Nothing that it has accepted was slept on: it waits for that elsewhere."""
    one = _pre_forked(9, 0, 8)
    blocked = replace(
        one,
        threads=(made.thread(user=100 * MS, poll=500 * MS, recv=9_400 * MS),),
        calls=(
            made.call("pselect6", "", 480, wait=500 * MS),
            made.call("recvfrom", "tcp", 113, wait=9_400 * MS),
        ),
        loops=(made.loop("pselect6", 480, wait=500 * MS, watched=9, nfds=9),),
    )
    title, found = _verdict(blocked)
    assert title == "event loop on select"
    assert "IO104" in found
    served = replace(blocked.descriptors[0], wait_ns=9_000 * MS)
    title, _ = _verdict(replace(blocked, descriptors=(served, *blocked.descriptors[1:])))
    assert title == "single thread, blocking I/O"
