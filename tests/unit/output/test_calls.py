"""The system calls' table."""

from dataclasses import replace

from iotrace.output.tables import calls_table
from tests.unit.output.drawing import drawn, rows, snapshot
from tests.unit.reports import MS, S, call, event_loop, process, thread_pool


def test_an_event_loop_and_its_pool() -> None:
    assert drawn(calls_table.table(event_loop().processes[0], 20)) == snapshot("""\
System calls by thread (11)
wait: asleep in it; copy: handing data to the program; p50, p99, max: one call,
from entry to return. EAGAIN: would have blocked. +1: one more has not returned.
~: estimated.
  tid call          count err EAGAIN bytes   wait    copy    p50    p99    max
───── ──────────── ────── ─── ────── ───── ────── ─────── ────── ────── ──────
41240 futex           0+1   -      -     -  10.0s       -      -      -      -
41241 futex         211+1   -      -     -  9.99s       - 23.7ms  189ms  521ms
41242 futex         422+1   -      -     -  9.98s       - 11.8ms 94.6ms  260ms
41234 epoll_wait   48,611   -      -     -  5.31s       - 57.4us  459us 1.26ms
41234 sendto tcp   97,704   -      -  388M      -       - 4.63us 37.0us  102us
41234 recvfrom tcp 98,713   -  1,009 51.0M      -  61.0ms 1.27us 10.2us 28.0us
41234 accept4 tcp     831   -    419     -      -       - 4.81us 38.5us  106us
41242 pread64 file    422   -      - 26.0M 4.00ms ~1.63ms 6.67us 53.4us  147us
41234 close           412   3      -     -      -       - 6.07us 48.5us  133us
41241 pread64 file    211   -      - 13.0M 2.00ms  ~800us 6.63us 53.1us  146us
41234 epoll_ctl     1,236   -      -     -      -       -  809ns 6.47us 17.8us
""")


def test_calls_of_one_thread_need_no_column_for_it_and_errors_are_named_where_there_is_room() -> (
    None
):
    one = process(calls=event_loop().processes[0].calls[:6])
    assert drawn(calls_table.table(one, 20), width=100) == snapshot("""\
System calls of thread 41234 (6)
wait: asleep in it; copy: handing data to the program; p50, p99, max: one call, from entry to
return. EAGAIN: would have blocked.
call           count         errors  EAGAIN     bytes    wait     copy      p50      p99      max
────────────  ──────  ─────────────  ──────  ────────  ──────  ───────  ───────  ───────  ───────
epoll_wait    48,611              -       -         -  5.31 s        -  57.4 us   459 us  1.26 ms
sendto tcp    97,704              -       -   388 MiB       -        -  4.63 us  37.0 us   102 us
recvfrom tcp  98,713              -   1,009  51.0 MiB       -  61.0 ms  1.27 us  10.2 us  28.0 us
accept4 tcp      831              -     419         -       -        -  4.81 us  38.5 us   106 us
close            412  2 EBADF 1 EIO       -         -       -        -  6.07 us  48.5 us   133 us
epoll_ctl      1,236              -       -         -       -        -   809 ns  6.47 us  17.8 us
""")


def test_idle_threads_do_not_hide_the_other_calls() -> None:
    idle = [call(100 + number, "futex", "", 1, wait_ns=10 * S) for number in range(40)]
    useful = call(1, "recvfrom", "tcp", 7, wait_ns=5 * MS)
    shown = rows(calls_table.table(process(calls=(*idle, useful)), 5))
    assert [line.split()[1] for line in shown] == [*["futex"] * 4, "recvfrom", "and"]
    assert shown[-1] == "… and 36 more (360 s of wait)"


def test_order_is_total_time() -> None:
    slow = call(1, "read", "pipe", 1, kernel_ns=3 * S)
    waits = call(1, "recvfrom", "tcp", 1, wait_ns=2 * S)
    starved = call(1, "sendto", "tcp", 1, runq_ns=4 * S)
    shown = rows(calls_table.table(process(calls=(waits, slow, starved)), None))
    assert [line.split()[0] for line in shown] == ["sendto", "read", "recvfrom"]


def test_a_call_that_never_returned_shows_its_wait_and_no_latency() -> None:
    asleep = call(1, "accept4", "tcp", 0, wait_ns=10 * S, in_flight=1)
    assert rows(calls_table.table(process(calls=(asleep,)), 20)) == [
        "accept4 tcp    0+1      -  10.0 s     -    -    -    -"
    ]


def test_threads_that_have_ended() -> None:
    ended = call(0, "recvfrom", "tcp", 5, wait_ns=S)
    one = call(7, "recvfrom", "tcp", 5, wait_ns=2 * S)
    assert [
        line.split()[0] for line in rows(calls_table.table(process(calls=(ended, one)), 20))
    ] == [
        "7",
        "ended",
    ]


def test_an_estimated_copy_says_so_and_an_estimated_nothing_does_not() -> None:
    some = call(1, "read", "pipe", 5, copy_ns=2 * MS)
    none = call(1, "read", "pipe", 5, wait_ns=MS)
    table = calls_table.table(process(calls=(some, none)), 20)
    assert "~: estimated." in drawn(table)
    assert ["~2.00 ms" in line for line in rows(table)] == [True, False]
    assert ["~" in line for line in rows(table)] == [True, False]


def test_a_lock_that_has_changed_is_an_error_like_others() -> None:
    """EAGAIN of a futex says that there is nothing to wait for, not that it would have blocked."""
    lock = replace(call(1, "futex", "", 99), errors={"EAGAIN": 31, "ETIMEDOUT": 2})
    read = replace(call(1, "read", "pipe", 99), errors={"EAGAIN": 17})
    shown = drawn(calls_table.table(process(calls=(lock, read)), 20), width=140)
    (its,) = (line for line in shown.splitlines() if line.startswith("futex"))
    assert "31 EAGAIN 2 ETIMEDOUT" in its
    assert "EAGAIN: would have blocked" in shown
    alone = drawn(calls_table.table(process(calls=(lock,)), 20), width=140)
    assert "  EAGAIN" not in alone.partition("──")[0].splitlines()[-1]


def test_a_connect_that_goes_on_by_itself_is_no_error() -> None:
    begun = replace(call(1, "connect", "tcp", 99), errors={"EINPROGRESS": 90})
    refused = replace(begun, errors={"EINPROGRESS": 90, "ECONNREFUSED": 7})
    assert (begun.failed, refused.failed) == (0, 7)
    shown = [drawn(calls_table.table(process(calls=(one,)), 20), 140) for one in (begun, refused)]
    assert ["err" in text for text in shown] == [False, True]
    assert "7 ECONNREFUSED" in shown[1] and "90" not in shown[1]


def test_seven_digit_threads_with_everything_keep_to_the_page() -> None:
    widest = replace(
        call(4_194_304, "clock_nanosleep", "eventfd", 99_999, wait_ns=999 * MS, copy_ns=999 * MS,
             bytes_=1023 * 1024, eagain=99_999, in_flight=1),
        errors={"EAGAIN": 99_999, "ECONNRESET": 99_999},
        copy_estimated=True,
    )  # fmt: skip
    table = calls_table.table(process(calls=(widest, replace(widest, tid=4_194_303))), 20)
    shown = drawn(table)
    assert max(map(len, shown.splitlines())) <= 80
    assert "No room at 80 columns for: max." in shown
    assert "99,999+1 99,999 99,999 1023K 999ms ~999ms" in shown  # no figure is ever cut
    assert "ECONNRESET" in drawn(table, width=140)


def test_300_threads() -> None:
    shown = rows(calls_table.table(thread_pool(300).processes[0], 20))
    assert len(shown) == 20 + 1, "threads shown, and the line of the others"
    assert shown[-1] == "… and 281 more (34.7 min of wait)"
