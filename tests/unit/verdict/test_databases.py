# SPDX-License-Identifier: Apache-2.0
"""Answers of databases that are late because of another transaction."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.stacks import Frame
from tests.unit.verdict import elsewhere
from tests.unit.verdict.made import S, judged, listener, process, thread


def test_processes_that_are_late_at_one_line_may_wait_for_each_others_transactions() -> None:
    (tail,) = elsewhere.tail(True)
    one = replace(tail, sockets=listener(0))
    (at,) = one.lines
    http = Frame("request", "/srv/lib/site-packages/requests/api.py", 9)
    asks = replace(at, own=1, stack=(http, *at.stack))
    other = replace(at, stack=(replace(at.stack[0], line=99),))
    master = process([thread(poll=10 * S)], pid=600, parent=1)
    queue = Frame("read", "/srv/lib/site-packages/pika/adapters/utils/io_services_utils.py", 9)
    pika = replace(at, own=1, stack=(queue, *at.stack))
    driver = Frame("_read_bytes", "/srv/lib/site-packages/pymysql/connections.py", 9)
    mysql = replace(at, own=1, stack=(driver, *at.stack))
    for mine, theirs, count in (
        (at, at, 2),
        (asks, asks, 0),
        (pika, pika, 0),
        (mysql, mysql, 2),
        (at, other, 1),
    ):
        rows = ((700, mine), (701, theirs), (702, theirs))
        workers = [
            replace(
                one,
                pid=pid,
                parent=600,
                lines=(row,),
                descriptors=tuple(
                    replace(each, local=f"127.0.0.1:5{pid}") if "10.0.0.9" in each.peer else each
                    for each in one.descriptors
                ),
            )
            for pid, row in rows
        ]
        late = [row for row in judged(master, *workers).findings if row.id == "IO150"]
        most = max(int(row.evidence.get("late_in_other_processes", 0)) for row in late)
        assert most == count
        assert any("pg_locks" in row.advice for row in late) is bool(count)
        assert all("hedging" in row.advice for row in late)
