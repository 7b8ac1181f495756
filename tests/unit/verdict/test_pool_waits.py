"""IO143: who has waited for a connection, and who happens to wait at the end."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process, Thread
from iotrace.report.stacks import Wake
from iotrace.verdict.purpose import Purpose, purpose_of
from tests.unit.verdict.hangs import HANDLER, POOL_FILE, waiting
from tests.unit.verdict.made import MS, S, findings, in_call, line_of, process, stack


def _pool(*, waits_now: bool) -> Process:
    """Requests of two handlers have waited, for 1.5 s at most; one of them waits now."""
    taken = (
        "lib/threading.py:327 Condition.wait",
        "lib/site-packages/sqlalchemy/util/queue.py:180 Queue.get",
        f"{POOL_FILE}:166 QueuePool._do_get",
    )
    sync, index = (
        in_call(
            "futex", "", *taken, place, *HANDLER, object="c0", wait=wait, since=10 * S - wait
        )
        for place, wait in (("app.py:12 sync", 80 * MS), ("app.py:23 index", S))
    )  # fmt: skip
    lines = (line_of(sync, 3, 2 * S, 900 * MS, 701), line_of(index, 9, 6 * S, 1_500 * MS, 702))
    rows = [waiting(701, sync)] if waits_now else []
    return replace(process(rows), lines=lines)


def test_those_that_have_waited_are_named_after_those_that_wait() -> None:
    found = findings(_pool(waits_now=True))["IO143"]
    now, before = found.lines
    assert now.startswith("srv/app.py:12 sync -> futex: 1 thread, not returned for")
    assert before == "srv/app.py:23 index -> futex: 9 times, 6 s, 1.5 s at most"
    assert found.title.endswith("; others have waited for up to 1.5 s")


def test_where_nobody_waits_now_all_have_waited() -> None:
    found = findings(_pool(waits_now=False))["IO143"]
    assert [one.partition(" ->")[0] for one in found.lines] == [
        "srv/app.py:23 index",
        "srv/app.py:12 sync",
    ]
    assert "threads queue for up to 1.5 s" in found.title


def test_who_has_got_a_connection_and_looks_whether_it_lives_waits_for_none() -> None:
    def got(kind: str) -> Process:
        one = in_call(
            "futex", kind,
            "lib/site-packages/redis/_parsers/socket.py:92 SocketBuffer._read_from_socket",
            "lib/site-packages/redis/connection.py:570 AbstractConnection.can_read",
            "lib/site-packages/redis/connection.py:1428 ConnectionPool.get_connection",
            "app.py:13 index", *HANDLER, wait=S, since=9 * S,
        )  # fmt: skip
        return replace(process([waiting(701, one)]), lines=(line_of(one, 300, 4 * S, MS, 701),))

    assert "IO143" not in findings(got("")) | findings(got("gil"))


def test_who_waits_for_the_interpreter_waits_for_no_connection() -> None:
    one = in_call(
        "futex", "gil", f"{POOL_FILE}:166 QueuePool._do_get", "app.py:12 sync", *HANDLER,
        wait=S, since=9 * S,
    )  # fmt: skip
    assert "IO143" not in findings(
        replace(process([waiting(701, one)]), lines=(line_of(one, 300, 4 * S, MS, 701),))
    )


def test_the_lock_of_a_pool_is_no_connection() -> None:
    """A lock has no frame of its own in Python; the queue in which connections lie has one."""
    pool = "lib/site-packages/redis/connection.py:1428 ConnectionPool.get_connection"
    own, queue = (
        in_call("futex", "", *frames, "app.py:13 index", *HANDLER, wait=S, since=9 * S)
        for frames in ((pool,), ("lib/queue.py:209 LifoQueue.get", pool))
    )
    assert [purpose_of(own), purpose_of(queue)] == [Purpose.LOCK, Purpose.POOL]


_ACQUIRE = "lib/site-packages/fastdb/pool.py:31 Pool.acquire"


def _in_c(waker: tuple[str, ...], *others: Thread, place: str = _ACQUIRE) -> Process:
    """A pool whose function waits in C, for 1 s, and who ended nine such waits."""
    one = in_call("futex", "", place, "app.py:13 index", *HANDLER, wait=S, since=9 * S)
    wakes = ()
    if waker:
        frames = stack(*waker)
        wakes = (Wake("", 9, 6 * S, S, 703, 1, one.stack, len(frames) - 1, frames),)
    lines = (line_of(one, 9, 6 * S, S, 701),)
    return replace(process([waiting(701, one), *others]), lines=lines, wakes=wakes)


def test_who_ends_waits_in_c_tells_a_connection_from_the_pools_lock() -> None:
    gives = ("lib/site-packages/fastdb/pool.py:44 Pool.release", "app.py:19 index")
    assert "IO143" in findings(_in_c(gives))
    assert "IO143" not in findings(_in_c((_ACQUIRE, "app.py:13 index")))
    # Nobody was woken: one that makes a connection in the function has the lock.
    connects = in_call("connect", "tcp", _ACQUIRE, "app.py:13 index", *HANDLER, wait=S, since=9 * S)
    assert "IO143" in findings(_in_c(()))
    assert "IO143" not in findings(_in_c((), waiting(702, connects)))


def test_the_lock_of_a_pool_that_makes_connections_with_it() -> None:
    getconn = "lib/site-packages/psycopg2/pool.py:167 ThreadedConnectionPool.getconn"
    inside = getconn.replace("167", "169")
    found = findings(_in_c((inside, "app.py:13 index"), place=getconn))
    told = found["IO144"]
    assert told.title.startswith("Threads wait for the lock of a connection pool at srv/app.py:13")
    assert "getconn raises PoolError" in told.advice
    assert "IO143" not in found


def test_psycopg2_waits_for_its_lock_alone() -> None:
    """It raises PoolError where none is free; who gives one back rolls back with the lock."""
    getconn = "lib/site-packages/psycopg2/pool.py:167 ThreadedConnectionPool.getconn"
    putconn = getconn.replace("167", "175").replace("getconn", "putconn")
    for waker in ((putconn, "app.py:19 index"), ()):
        assert "IO143" not in findings(_in_c(waker, place=getconn))
