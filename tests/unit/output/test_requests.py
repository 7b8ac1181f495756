"""Tables of requests and of calls upstream: literal pictures."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from iotrace.output import formats
from iotrace.output.tables import requests_table, upstreams_table
from iotrace.report.request_profile import slowest, typical
from iotrace.report.requests import Requests, Upstream
from iotrace.report.times import Durations
from tests.unit import reports
from tests.unit.output.drawing import drawn, rows, snapshot
from tests.unit.reports import MS, US, process
from tests.unit.request_rows import LISTENER


def test_a_listener() -> None:
    assert drawn(requests_table.table(process(requests=(LISTENER,)), 20)) == snapshot("""\
Requests
exchanges (count): requests that arrived during the trace, with their answers;
p50, p99, max: from the arrival of data to the answer's first byte; p99 of its
parts: pickup, until it is read, and service, from there to the first byte;
owed: of those that arrived during the trace, not answered at the end, and the
oldest one's age. queue: p99 of connections, until they are accepted; pickup
begins after it. last: p99 from the arrival to the answer's last byte.
listener       count rate   p50    p99   max pickup service  queue   last
────────────── ───── ──── ───── ────── ───── ────── ─────── ────── ──────
127.0.0.1:8000 3,366  277 237us 46.0ms 133ms 47.0ms  41.0ms 50.0us 51.0ms
typical 98.0 us = pickup 39.0 us (user 20.0 us, runq 13.0 us, poll 6.00 us) +
service 59.0 us (user 57.0 us, kernel 2.00 us).
slowest 38: 46.0 ms = queue 6.00 ms + pickup 24.0 ms (sleep 22.0 ms, runq 2.00
ms) + service 16.0 ms (sleep 16.0 ms).
longest: 133 ms = pickup 92.0 ms (runq 92.0 ms) + service 41.0 ms (sleep 40.0
ms, user 1.00 ms) for 127.0.0.1:54036 at 7.89 s; its longest wait: orders.py:88
get, clock_nanosleep 40.0 ms.
accept queue: 2 connections in it at the end (backlog 128), 17 dropped for lack
of room.
""")


def test_elsewhere_is_explained_where_it_is_told() -> None:
    explained = "in the hands of no thread yet, or of one that is not known"
    tier = replace(LISTENER.tiers[1], pickup_ns={"elsewhere": 90_792 * US})
    handed = replace(LISTENER, tiers=(LISTENER.tiers[0], tier, LISTENER.tiers[2]))
    assert explained in _legend(handed)
    assert explained not in _legend(LISTENER)


def _legend(row: Requests) -> str:
    table = requests_table.table(process(requests=(row,)), 20)
    assert table is not None
    return " ".join(table.legend)


def test_answers_that_are_owed_and_requests_that_overlap() -> None:
    hung = replace(
        LISTENER, listener="unix:/run/app.sock", unanswered=12, oldest_unanswered_ns=9 * MS
    )
    overlapping = replace(
        LISTENER, listener="*:9000", latency_ns=None, service_ns=None, last_byte_ns=None,
        queue_ns=None, tiers=(), exemplars=(), several_at_once=999, unknown=3,
    )  # fmt: skip
    idle = Requests("*:9001", 0, 0, 0, None, None, None, None, None, None)
    rows = (replace(hung, tiers=(), exemplars=()), overlapping, idle)
    assert drawn(requests_table.table(process(requests=rows), 20)) == snapshot("""\
Requests
exchanges (count): requests that arrived during the trace, with their answers;
p50, p99, max: from the arrival of data to the answer's first byte; p99 of its
parts: pickup, until it is read, and service, from there to the first byte;
owed: of those that arrived during the trace, not answered at the end, and the
oldest one's age. queue: p99 of connections, until they are accepted; pickup
begins after it. last: p99 from the arrival to the answer's last byte. n/a:
several requests at once on a connection, so that no answer can be told from
another.
listener         count      owed   p50    p99   max pickup service  queue   last
──────────────── ───── ───────── ───── ────── ───── ────── ─────── ────── ──────
…x:/run/app.sock 3,366 12/9.00ms 237us 46.0ms 133ms 47.0ms  41.0ms 50.0us 51.0ms
*:9000           3,366         -   n/a    n/a   n/a 47.0ms     n/a    n/a    n/a
*:9001               -         -     -      -     -      -       -      -      -
unix:/run/app.sock: accept queue: 2 connections in it at the end (backlog 128),
17 dropped for lack of room.
*:9000: accept queue: 2 connections in it at the end (backlog 128), 17 dropped
for lack of room.
*:9000: of 3 exchanges it is not known which thread had them: their time is
elsewhere.
No room at 80 columns for: rate.
""")


def test_peers() -> None:
    times = Durations(2742, 2_250 * US, 3 * MS, 31_300 * US, 40 * MS, 41 * MS)
    database = Upstream(
        "127.0.0.1:5432", "tcp", 2742, 4, 0, None, times,
        replace(times, p50=40_600, p99=18_100 * US), replace(times, count=4, p99=58 * US), 0,
        {"user": MS},
    )  # fmt: skip
    dead = Upstream("10.0.0.7:6379", "tcp", 0, 1, 1, 3_000 * MS, None, None, None, 7, {})
    shown = drawn(upstreams_table.table(process(upstreams=(database, dead)), 20))
    assert shown == snapshot("""\
Upstreams
theirs: from the last byte of a query to the arrival of its answer, p50 and p99;
pickup: from there until this process had read it; at once: calls in flight, at
most; owed: of those that were sent during the trace, not answered at the end,
and the oldest one's age. connect: p99 of the time to connect; failed:
connections that could not be made.
peer           calls at once    owed theirs    p99 pickup    p99 connect failed
────────────── ───── ─────── ─────── ────── ────── ────── ────── ─────── ──────
127.0.0.1:5432 2,742       4       - 2.25ms 31.3ms 40.6us 18.1ms  58.0us      -
10.0.0.7:6379      -       1 1/3.00s      -      -      -      -       -      7
""")


def test_a_peer_that_closes_connections_instead_of_answering() -> None:
    asked = Upstream("10.0.0.7:80", "tcp", 41, 1, 0, None, None, None, None, 0, {}, cut_off=7)
    one = upstreams_table.table(process(upstreams=(asked,)), 20)
    assert ["cut off" in line for line in drawn(one).splitlines()].count(True) == 2
    assert rows(one)[0].split()[:4] == ["10.0.0.7:80", "41", "1", "7"]


def test_a_process_without_either_has_no_such_table() -> None:
    assert requests_table.table(process(), 20) is None
    assert upstreams_table.table(process(), 20) is None


def test_the_typical_exchange_is_the_median_and_the_slowest_are_a_hundredth() -> None:
    assert typical(LISTENER) == LISTENER.tiers[1]
    assert slowest(LISTENER) == LISTENER.tiers[2]
    assert slowest(replace(LISTENER, tiers=LISTENER.tiers[1:2])) is None
    assert typical(replace(LISTENER, tiers=())) is None
    assert slowest(replace(LISTENER, tiers=())) is None


def test_slowest_tiers_are_added_up_until_they_are_a_hundredth() -> None:
    few = replace(
        LISTENER.tiers[2], from_ns=56 * MS, to_ns=64 * MS, count=1, service_ns={"user": MS}
    )
    both = slowest(replace(LISTENER, tiers=(*LISTENER.tiers, few)))
    assert both is not None
    assert (both.from_ns, both.to_ns, both.count) == (40 * MS, 64 * MS, 39)
    assert both.service_ns == {"sleep": 38 * 16 * MS, "user": MS}


def test_csv_has_a_line_for_each() -> None:
    report = reports.event_loop()
    one = replace(report.processes[0], requests=(LISTENER,))
    shown = formats.render(replace(report, processes=(one,)), "csv-requests").splitlines()
    assert len(shown) == 2
    assert '"127.0.0.1:8000",16,3366,0,' in shown[1]


@pytest.mark.parametrize("table", ["csv-request-tiers", "csv-slowest-requests"])
def test_csv_splits_tiers_and_the_slowest_without_a_rest(table: str) -> None:
    report = reports.event_loop()
    one = replace(report.processes[0], requests=(LISTENER,))
    shown = formats.render(replace(report, processes=(one,)), table)
    rows = list(csv.DictReader(io.StringIO(shown)))
    assert len(rows) == len(LISTENER.tiers if "tiers" in table else LISTENER.exemplars)
    for row in rows:
        parts = [name for name in row if name.startswith(("queue_", "pickup_", "service_"))]
        assert sum(int(row[name]) for name in parts) == int(row["latency_ns"]) > 0


def test_requests_on_connections_that_were_closed() -> None:
    row = Requests("0.0.0.0:8000", 20, 398, 0, None, None, None, None, None, None, after_close=7)
    text = drawn(requests_table.table(process(requests=(row,)), 20))
    assert text.count("after close") == 2
    assert "reset" in text
    well = drawn(requests_table.table(process(requests=(replace(row, after_close=0),)), 20))
    assert "after close" not in well
