"""The threads' table: where each one's wall time went."""

from dataclasses import replace

from iotrace.output.tables import threads_table
from iotrace.output.tables.threads_table import reasons
from tests.unit.output.drawing import column_of, drawn, rows, snapshot
from tests.unit.reports import MS, S, event_loop, process, thread, thread_pool


def test_an_event_loop_and_its_idle_pool() -> None:
    assert drawn(threads_table.table(event_loop().processes[0], 20)) == snapshot("""\
Threads (4)
wall: time traced. In % of it: user, kernel and copy (of data to the program):
on a CPU; runq: ready, but no CPU free; asleep in: waiting for what (recv, send:
in any read or write; poll: in select, poll or epoll_wait; +: other waits). vol,
invol: context switches.
  tid name       wall user kernel copy runq asleep in             vol invol
───── ───────── ───── ──── ────── ──── ──── ────────────────── ────── ─────
41234 uvicorn   10.0s 31.2   14.1  0.6  0.8 poll 53.1 lock 0.1 18,204 1,377
41242 asyncio_2 10.0s  0.2   <0.1    - <0.1 lock 99.8             423     2
41241 asyncio_1 10.0s <0.1   <0.1    - <0.1 lock 99.9             212     1
41240 asyncio_0 10.0s    -      -    - <0.1 lock >99.9              1     -
""")


def test_a_wider_page_has_room_for_blanks_and_cuts_are_counted() -> None:
    assert drawn(threads_table.table(event_loop().processes[0], 2), width=96) == snapshot("""\
Threads (4)
wall: time traced. In % of it: user, kernel and copy (of data to the program): on a CPU; runq:
ready, but no CPU free; asleep in: waiting for what (recv, send: in any read or write; poll: in
select, poll or epoll_wait; +: other waits). vol, invol: context switches.
  tid  name         wall  user  kernel  copy  runq  asleep in              vol  invol
─────  ─────────  ──────  ────  ──────  ────  ────  ──────────────────  ──────  ─────
41234  uvicorn    10.0 s  31.2    14.1   0.6   0.8  poll 53.1 lock 0.1  18,204  1,377
41242  asyncio_2  10.0 s   0.2    <0.1     -  <0.1  lock 99.8              423      2
… and 2 more (20.0 s of wait)
""")


def test_ended_threads_in_one_line_and_time_that_is_unaccounted() -> None:
    ended = replace(thread(0, "Thread-9 (handle)", 40 * S, user=2 * S, recv=0), count=1000)
    main = thread(
        700, "python3", 10 * S, user=S, runq=S // 2, unaccounted=3 * MS, poll=0
    )  # fmt: skip
    assert drawn(threads_table.table(process(threads=(main, ended)), 20)) == snapshot("""\
Threads (1,001)
wall: time traced. In % of it: user, kernel and copy (of data to the program):
on a CPU; runq: ready, but no CPU free; asleep in: waiting for what (recv, send:
in any read or write; poll: in select, poll or epoll_wait; +: other waits). vol,
invol: context switches. xN: N threads that ended meanwhile, added up.
   tid name               wall user kernel copy runq unacc asleep in   vol invol
────── ───────────────── ───── ──── ────── ──── ──── ───── ───────── ───── ─────
x1,000 Thread-9 (handle) 40.0s  5.0      -    -    -     - recv 95.0     -     -
   700 python3           10.0s 10.0      -    -  5.0  <0.1 poll 85.0 1,400     -
""")


def test_sleep_without_a_request_in_hand_is_idle() -> None:
    served = replace(thread(1, "worker_0", 10 * S, user=S, lock=6 * S, recv=0), idle_ns={"lock": S})
    never = thread(2, "worker_1", 10 * S, lock=0)
    table = threads_table.table(process(threads=(served, never)), 20)
    assert column_of(table, "idle") == ["10.0", "-"]
    assert "idle: asleep without a request in hand" in drawn(table).replace("\n", " ")


def test_order_is_time_awake() -> None:
    one = thread(1, "busy", 10 * S, user=3 * S, lock=0)
    two = thread(2, "starved", 10 * S, runq=9 * S, lock=0)
    three = thread(3, "asleep", 20 * S, lock=0)
    shown = rows(threads_table.table(process(threads=(three, one, two)), None))
    assert [line.split()[1] for line in shown] == ["starved", "busy", "asleep"]


def test_300_threads_are_cut_and_none_is_cut_without_a_limit() -> None:
    pool = thread_pool(300).processes[0]
    shown = rows(threads_table.table(pool, 20))
    assert len(shown) == 20 + 1, "threads shown, and the line of the others"
    assert shown[-1] == "… and 281 more (44.7 min of wait)"
    assert len(rows(threads_table.table(pool, None))) == 1 + 300


def test_without_threads_there_is_no_table() -> None:
    assert threads_table.table(process(), 20) is None


def test_reasons_from_all_to_the_biggest() -> None:
    assert reasons({"recv": 812, "poll": 170, "lock": 4, "file": 0}, 1000) == (
        "recv 81.2 poll 17.0 lock 0.4",
        "recv 81.2 poll 17.0 +0.4",
        "recv 81.2 +17.4",
    )


def test_reasons_that_are_worth_nothing_go_unnamed() -> None:
    assert reasons({"poll": 9_990, "lock": 9, "file": 1}, 10_000) == ("poll 99.9 +0.1",)
    assert reasons({"poll": 9_999, "lock": 1}, 10_000) == ("poll >99.9",)
    assert reasons({"poll": 1}, 10_000) == ("poll <0.1",)
    assert reasons({}, 10_000) == ("-",)


def test_idle_threads_of_a_pool_do_not_fill_the_table() -> None:
    idle = [thread(710 + number, f"worker_{number}", 10 * S, lock=0) for number in range(40)]
    late = [
        thread(801, "reader", 10 * S, recv=0),
        thread(802, "writer", 10 * S, send=0),
    ]
    shown = threads_table.table(process(threads=(*idle, *late)), 20)
    assert shown is not None
    names = [cell[0] for cell in shown.columns[1].cells]
    assert names == [*(f"worker_{number}" for number in range(5)), "reader", "writer"]
    assert shown.more.startswith("… and 35 more (")
    everything = threads_table.table(process(threads=(*idle, *late)), None)
    assert everything is not None
    assert len(everything.columns[1].cells) == 42
