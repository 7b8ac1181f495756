"""The event loops' table, and the two small ones beside it."""

from dataclasses import replace

from iotrace.output.tables import loops_table, operations_table, processes_table, signals_table
from iotrace.report.model import Model, Operation, Quantiles, Signal
from tests.unit.output.drawing import drawn, snapshot
from tests.unit.reports import MIB, MS, US, event_loop, prefork, process


def test_one_loop_needs_no_column_for_its_thread() -> None:
    assert drawn(loops_table.table(event_loop().processes[0], 20)) == snapshot("""\
Event loop of thread 41234
watched (fds): descriptors in its set; iterations (iter): returns of the call;
ready: descriptors a return, mean/max; empty: none ready; timeout: none in time;
busy: from a return to the next call, p50, p99 and max. no-wait: told not to
wait.
call       trigger fds   iter   ready empty timeout no-wait   busy    p99   max
────────── ─────── ─── ────── ─────── ───── ─────── ─────── ────── ────── ─────
epoll_wait level   412 48,611 2.03/64 1,203      97   1,106 71.0us 1.93ms 204ms
Thread 41234 was busy for over 50 ms 23 times, 3.87 s in all: on a CPU 98.1 %,
runq 1.6 %, file 0.3 %. Longest wait in one call: 3.00 ms in pread64 file on
descriptor 423.
""")


def test_a_thread_that_serves_one_after_the_other_is_no_loop() -> None:
    (whole,) = event_loop().processes
    tid = whole.loops[0].tid
    blocking = Model("blocking", "blocking I/O with timeouts: acceptor", 0.9)
    rows = tuple(
        replace(row, model=blocking if row.tid == tid else row.model) for row in whole.threads
    )
    table = loops_table.table(replace(whole, threads=rows), 20)
    assert table is not None
    assert table.title == f"Multiplexer of thread {tid}"


def test_what_there_is_no_room_for_is_named() -> None:
    loop = event_loop().processes[0].loops[0]
    other = replace(
        loop, tid=41299, multiplexer="select", watched=None, busy_ns=None, busy_total_ns=0,
        unserved=4, stalls=None,
    )  # fmt: skip
    assert drawn(loops_table.table(process(loops=(loop, other)), 20)) == snapshot("""\
Event loops (2)
watched (fds): descriptors in its set; iterations (iter): returns of the call;
ready: descriptors a return, mean/max; empty: none ready; timeout: none in time;
busy: from a return to the next call, p50, p99 and max. no-wait: told not to
wait. unserved: some ready, none read, written or accepted.
  tid call       trigger fds   iter   ready empty timeout   busy    p99   max
───── ────────── ─────── ─── ────── ─────── ───── ─────── ────── ────── ─────
41234 epoll_wait level   412 48,611 2.03/64 1,203      97 71.0us 1.93ms 204ms
41299 select     level   n/a 48,611 2.03/64 1,203      97      -      -     -
Thread 41234 was busy for over 50 ms 23 times, 3.87 s in all: on a CPU 98.1 %,
runq 1.6 %, file 0.3 %. Longest wait in one call: 3.00 ms in pread64 file on
descriptor 423.
No room at 80 columns for: no-wait, unserved.
""")


def test_operations() -> None:
    received = Operation(
        "recv", 1_009, {"ECONNRESET": 2}, 3 * MIB, Quantiles(40 * US, 3 * MS, 51 * MS)
    )
    accepted = Operation("accept", 13, {}, 0, None)
    shown = operations_table.table(process(operations=(accepted, received)), 20)
    assert drawn(shown) == snapshot("""\
Asynchronous operations (1,022)
io_uring; p50, p99, max: from submission to completion.
operation  count  errors     bytes      p50      p99      max
─────────  ─────  ──────  ────────  ───────  ───────  ───────
recv       1,009       2  3.00 MiB  40.0 us  3.00 ms  51.0 ms
accept        13       -         -        -        -        -
""")


def test_signals() -> None:
    both = (Signal(700, "SIGTERM", 1), Signal(700, "SIGIO", 1_009))
    assert drawn(signals_table.table(process(signals=both), 20)) == snapshot("""\
Signals delivered (1,010)
tid  signal   count
───  ───────  ─────
700  SIGIO    1,009
700  SIGTERM      1
""")


def test_processes_in_a_line_each() -> None:
    shown = processes_table.table(prefork(200).processes, "Other processes", 4)
    assert drawn(shown) == snapshot("""\
Other processes (201)
wall: all its threads' time; next to it, what it went to in %: on a CPU (user +
kernel + copy), runq: ready, but no CPU free; asleep in: waiting for what (+:
other waits).
 pid  name      threads  syscalls    wall  on CPU  runq  asleep in
────  ────────  ───────  ────────  ──────  ──────  ────  ───────────
1100  gunicorn        1     3,300  10.0 s    26.0     -  accept 74.0
1099  gunicorn        1     3,297  10.0 s    25.9     -  accept 74.1
1098  gunicorn        1     3,294  10.0 s    25.7     -  accept 74.3
1097  gunicorn        1     3,291  10.0 s    25.6     -  accept 74.4
… and 197 more (28.7 min of wait)
""")


def test_no_rows_no_table() -> None:
    nothing = process()
    assert loops_table.table(nothing, 20) is None
    assert operations_table.table(nothing, 20) is None
    assert signals_table.table(nothing, 20) is None
    assert processes_table.table((), "Processes", 20) is None
