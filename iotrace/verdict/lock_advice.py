# SPDX-License-Identifier: Apache-2.0
"""What to do about a library's lock that is held for long."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from iotrace.report.stacks import Frame, Wake
from iotrace.verdict.frames import in_library
from iotrace.verdict.lock_takers import places_taking
from iotrace.verdict.pool_locks import taker_of


def library_advice(held: Sequence[Frame], wakes: Sequence[Wake]) -> str:
    """``held``: what is done with the lock, by its stack."""
    if any(taker_of(one.stack) for one in wakes):
        return _POOLS
    taking = {one[:2] for one in places_taking(wakes)}
    inner = list(takewhile(lambda one: (one.file, one.function) not in taking, held))
    if held and all(map(in_library, inner)):
        return _OWN_WORK
    return _LOGGED if any(file.endswith(_LOGGING) for file, _ in taking) else _LIBRARYS


_LOGGING = "/logging/__init__.py"
_POOLS = (
    "The pool makes, checks and closes connections with its lock held, one thread at a time: it "
    "keeps too few of them, or the pool is too small for the threads that use it. Some then fail "
    "at once, which only the log tells (psycopg2: getconn raises PoolError where all connections "
    "are in use, and putconn closes what is above minconn, so that it is made anew). Let it keep "
    "as many as it may have (psycopg2: minconn as high as maxconn) and as there are threads, or "
    "let fewer threads use it; or have a pool that makes connections outside its lock and lets "
    "callers wait (psycopg_pool, SQLAlchemy's QueuePool)."
)
_OWN_WORK = (
    "The library does that work with its lock: have it done by a thread of its own (logging: "
    "QueueHandler and QueueListener; loguru: enqueue=True), by another program (logrotate), or not "
    "at all."
)
_LOGGED = (
    "A handler of logging works with its lock, and all threads that log wait for it meanwhile: let "
    "a thread of its own send, rotate and compress (logging.handlers.QueueHandler in the logger, "
    "and a QueueListener with the slow handler), or write to a file or a local socket, and let a "
    "collector read that."
)
_LIBRARYS = (
    "The lock is a library's own, and it is held while the program's code runs within: fill what "
    "it guards beforehand, or use one without a lock, or with one for each object. "
    "(functools.cached_property has a single lock for all objects of a class before Python 3.12.)"
)
