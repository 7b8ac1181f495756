# SPDX-License-Identifier: Apache-2.0
"""Waits for a database by the only thread of a process that has another connection to it: a
transaction which that thread has left open there keeps its locks for as long as it waits here."""

from __future__ import annotations

import re

from iotrace.verdict.frames import library_frames, named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import Stuck, is_only_thread

_SQL = re.compile(
    r"-packages/(?:psycopg2?|pymysql|MySQLdb|mysql|pg8000|pymssql|oracledb|sqlalchemy|peewee"
    r"|django/db)(?:/|\.py:)"
)


def other_connections(one: Stuck, profile: ProcessProfile) -> int:
    """How many more connections it has to the database that does not answer; 0 where other threads
    may be at work with them, or it asks no database."""
    sockets = profile.process.sockets
    if one.purpose is not Purpose.ANSWER or not is_only_thread(one, profile) or sockets is None:
        return 0
    if not any(_SQL.search(named(frame)) for frame in library_frames(one.call.stack)):
        return 0
    return sum(row.connections - 1 for row in sockets.connected if row.peer == one.call.peer)


def own_transaction_text(connections: int) -> str:
    """Goes on after "no answer comes"."""
    which = "another connection" if connections == 1 else f"{connections} more connections"
    return (
        f" (the same thread has {which} to it: a transaction that is open there may have the lock "
        "that this one waits for)"
    )


OWN_TRANSACTION = (
    "The database cannot see such a deadlock, as one of the two waits in the program: pg_locks and "
    "pg_stat_activity (PostgreSQL) or SHOW ENGINE INNODB STATUS (MySQL) name the connection that "
    "has the lock. Do all of it in one session, or commit the first before the second begins; "
    "lock_timeout (MySQL: innodb_lock_wait_timeout) makes the wait end with an error. If it is no "
    "lock, look at what the database does, and give the call a timeout."
)
