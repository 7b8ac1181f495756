"""A picture is computed from the interval's report and the whole trace's."""

from __future__ import annotations

from dataclasses import replace

from iotrace.live import frame
from iotrace.live.ordering import CALLS, LOOPS, THREADS, following, ordered
from iotrace.live.page_rows import Shares
from iotrace.live.picture import advance
from iotrace.live.styled_lines import STATES, bar
from iotrace.report.model import Report
from tests.unit import reports

S, MS, US = 10**9, 10**6, 10**3


def _part(report: Report, duration_ns: int) -> Report:
    return replace(report, duration_ns=duration_ns, interval=3)


def test_shares_and_rates_are_the_intervals() -> None:
    whole = reports.event_loop()
    picture = advance(None, whole, _part(whole, 5 * S))
    main = picture.threads[0]
    states = whole.processes[0].threads[0].states_ns
    assert main.tid == 41234
    assert main.wall_ns == 10 * S
    assert main.shares.user == states.user / (10 * S)
    on_cpu = (states.user + states.kernel + states.copy) / (10 * S)
    assert abs(main.shares.on_cpu - on_cpu) < 1e-9
    assert abs(sum(getattr(main.shares, state) for state in STATES) - 1) < 1e-9
    assert main.calls_per_s == 310_511 / 10
    receiving = next(row for row in picture.calls if row.call == "recvfrom tcp")
    assert receiving.calls_per_s == 98_713 / 5
    assert receiving.bytes_per_s == 51 * 1024**2 / 5
    assert receiving.errors == 0  # EAGAIN is none
    assert next(row.errors for row in picture.calls if row.call == "close") == 3
    assert picture.interval_ns == 5 * S
    assert picture.head.passed_ns == 10 * S
    assert (picture.head.pid, picture.head.name) == (41234, "uvicorn")
    assert picture.head.threads == 4


def test_lag_is_the_intervals_and_stalls_are_the_traces() -> None:
    whole = reports.event_loop()
    loop = whole.processes[0].loops[0]
    assert loop.busy_ns
    assert loop.stalls
    quiet = replace(loop, iterations=11, busy_ns=replace(loop.busy_ns, max=13 * US), stalls=None)
    part = replace(_part(whole, S), processes=(replace(whole.processes[0], loops=(quiet,)),))
    row = advance(None, whole, part).loops[0]
    assert row.busy
    assert row.busy.max == 13 * US
    assert row.iterations_per_s == 11
    assert (row.stalls, row.new_stalls, row.stalled_ns) == (23, 0, 3870 * MS)
    assert (row.worst, row.worst_ns) == ("pread64 file", 3 * MS)
    assert advance(None, whole, _part(whole, S)).loops[0].new_stalls == 23


def test_a_loop_that_made_no_turn_has_no_lag() -> None:
    whole = reports.event_loop()
    gone = replace(_part(whole, S), processes=(replace(whole.processes[0], loops=()),))
    row = advance(None, whole, gone).loops[0]
    assert row.busy is None
    assert row.iterations_per_s == 0


def test_a_finding_keeps_the_time_at_which_it_was_first_seen() -> None:
    whole = reports.event_loop()
    none = replace(whole, findings=(), duration_ns=1 * S)
    first = advance(None, none, none)
    second = advance(first, replace(whole, duration_ns=2 * S), whole)
    third = advance(second, replace(whole, duration_ns=3 * S), whole)
    assert first.findings == ()
    assert [row.since_ns for row in second.findings] == [2 * S]
    assert [row.since_ns for row in third.findings] == [2 * S]
    assert advance(third, none, none).findings == ()


def test_the_time_told_begins_with_the_duration_that_was_asked_for() -> None:
    whole = reports.event_loop()  # of 10 s
    assert whole.findings
    picture = advance(None, whole, _part(whole, S), 3 * S)
    assert picture.head.passed_ns == 7 * S
    assert {row.since_ns for row in picture.findings} == {7 * S}
    (line, *_) = frame.head(picture, frozen=False, until_ns=8 * S, room=100)
    assert "traced 7 s of 8 s" in "".join(text for text, _ in line)
    assert picture.whole_ns == 10 * S


def test_nothing_was_traced() -> None:
    nothing = replace(reports.report(), duration_ns=0)
    picture = advance(None, nothing, nothing)
    assert (picture.threads, picture.calls, picture.loops, picture.head.pid) == ((), (), (), 0)


def test_orders() -> None:
    picture = advance(None, reports.thread_pool(7), reports.thread_pool(7))
    by_cpu = ordered(picture.threads, THREADS, "on CPU")
    assert [row.shares.on_cpu for row in by_cpu] == sorted(
        (row.shares.on_cpu for row in picture.threads), reverse=True
    )
    assert [row.tid for row in ordered(picture.threads, THREADS, "tid")] == [
        700, 701, 702, 703, 704, 705, 706, 707,
    ]  # fmt: skip
    for orders, rows in ((THREADS, picture.threads), (CALLS, picture.calls)):
        for name in orders:
            assert sorted(map(id, ordered(rows, orders, name))) == sorted(map(id, rows))  # type: ignore[arg-type]
    names = list(LOOPS)
    assert following(names[0], names) == names[1]
    assert following(names[-1], names) == names[0]


def test_bars_fill_their_width_exactly() -> None:
    shares = Shares(user=1 / 3, kernel=1 / 7, copy=0.001, runq=0.2, wait=0.0, unaccounted=0.0)
    rest = 1 - (1 / 3 + 1 / 7 + 0.001 + 0.2)
    for columns in range(1, 101):
        drawn = bar(replace(shares, wait=rest), columns)
        assert sum(len(text) for text, _ in drawn) == columns
    assert bar(replace(shares, wait=rest), 10) == [
        ("███", "user"),
        ("▓▓", "kernel"),
        ("!!", "runq"),
        ("···", "wait"),
    ]
    assert bar(Shares(0, 0, 0, 0, 0, 0), 10) == []
