# SPDX-License-Identifier: Apache-2.0
"""Peers that may be databases, and the locks of their transactions, which nobody outside sees."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iotrace.report.stacks import Frame, Line
from iotrace.verdict.frames import in_library, named
from iotrace.verdict.process_profile import ProcessProfile

_NO_DATABASE = re.compile(
    r"/(?:http/client|xmlrpc/client|smtplib|ftplib|imaplib|poplib|urllib/request)\.py:"
    r"|-packages/(?:urllib3|requests|httpcore|httpx|aiohttp|grpc|botocore|paramiko|redis)/"
)
"""Of whose peers it is known that they are no databases with transactions."""
_DRIVER = re.compile(
    r"-packages/(?:psycopg|psycopg2|psycopg_pool|asyncpg|pg8000|aiopg|MySQLdb|pymysql|aiomysql"
    r"|asyncmy|mysql/connector|mariadb|oracledb|pymssql|pytds|pyodbc|aioodbc|sqlalchemy|peewee"
    r"|tortoise|pony|django/db)(?:/|\.py:)"
)
DATABASE = (
    " A database may wait itself, for a lock of a transaction that was never committed "
    "(PostgreSQL: pg_stat_activity and pg_locks; lock_timeout ends such waits)."
)
ROW_LOCKS = (
    "If it is a database, look whether these statements wait for a lock of another one's "
    "transaction: who writes a row that another transaction has written waits until that one "
    "commits (PostgreSQL: log_lock_waits=on, pg_locks, pg_blocking_pids()). Commit sooner, in "
    "small parts, and not after hundreds of statements; write rows in one statement (executemany, "
    "INSERT ... VALUES of many rows, COPY), and all programs in the same order; do nothing slow "
    "in a transaction."
)


def may_be_database(stack: Sequence[Frame]) -> bool:
    """Whether nothing on the stack tells that what is asked is none."""
    return not any(_NO_DATABASE.search(named(frame)) for frame in stack)


def late_together(peer: str, lines: Sequence[Line], least_ns: int, profile: ProcessProfile) -> int:
    """How many other processes of the same program ask that peer, and wait as long at the place
    where most of these lines wait; 0 where that is not in a driver of a database."""
    most = max((one for one in lines if one.stack), key=lambda one: one.wait_ns, default=None)
    if most is None or not _in_driver(most.stack):
        return 0
    return sum(
        any(one.peer == peer for one in sibling.process.descriptors)
        and any(_is_late_at(most, one, least_ns) for one in sibling.process.lines)
        for sibling in profile.siblings
    )


def _in_driver(stack: Sequence[Frame]) -> bool:
    """Drivers in C (psycopg2, mysqlclient) have no frame: their caller's is the innermost then."""
    return not in_library(stack[0]) or any(_DRIVER.search(named(frame)) for frame in stack)


def _is_late_at(place: Line, one: Line, least_ns: int) -> bool:
    return (
        one.max_ns >= least_ns
        and bool(one.stack)
        and one.own_stack[0] == place.own_stack[0]
        and one.syscall == place.syscall
    )
