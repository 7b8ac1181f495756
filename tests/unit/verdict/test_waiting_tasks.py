"""What asyncio tasks wait for, by their await chains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Unsent
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.waiting_tasks import purpose_of_task
from tests.unit.verdict.made import MS, S, findings, in_call, line_of, stack
from tests.unit.verdict.made_tasks import CONSUMER, POOLED, wait_of, with_tasks

_PACKAGES = "lib/site-packages"
_EVENT = (
    "lib/asyncio/locks.py:213 Event.wait",
    f"{_PACKAGES}/anyio/_backends/_asyncio.py:2009 Event.wait",
)
_LOCK = ("lib/asyncio/locks.py:120 Lock.acquire", "lib/asyncio/locks.py:14 Lock.__aenter__")
_LOCKED = (*_LOCK, "app.py:20 handle")
_THREADS = (
    *_EVENT,
    f"{_PACKAGES}/anyio/_backends/_asyncio.py:1800 CapacityLimiter.acquire_on_behalf_of",
    f"{_PACKAGES}/anyio/_backends/_asyncio.py:2400 run_sync_in_worker_thread",
    f"{_PACKAGES}/anyio/to_thread.py:56 run_sync",
    f"{_PACKAGES}/starlette/concurrency.py:39 run_in_threadpool",
)
_DRAIN = (
    f"{_PACKAGES}/aiohttp/base_protocol.py:100 BaseProtocol._drain_helper",
    f"{_PACKAGES}/aiohttp/_websocket/writer.py:159 WebSocketWriter.send_frame",
    "app.py:21 broadcast",
)


@pytest.mark.parametrize(
    ("chain", "purpose"),
    [
        (POOLED, Purpose.POOL),
        (
            (
                *_EVENT,
                f"{_PACKAGES}/httpcore/_synchronization.py:151 AsyncEvent.wait",
                f"{_PACKAGES}/httpcore/_async/connection_pool.py:35 Request.wait_for_connection",
                "app.py:9 index",
            ),
            Purpose.POOL,
        ),
        (
            (f"{_PACKAGES}/aiohttp/connector.py:560 BaseConnector.connect", "app.py:9 get"),
            Purpose.POOL,
        ),
        (
            (
                "lib/asyncio/locks.py:260 Condition.wait",
                f"{_PACKAGES}/redis/asyncio/connection.py:1200 Pool.get_connection",
                "app.py:9 get",
            ),
            Purpose.POOL,
        ),
        (_LOCKED, Purpose.LOCK),
        (("lib/asyncio/queues.py:121 Queue.put", "app.py:9 feed"), Purpose.ROOM),
        (_THREADS, Purpose.RESULT),
        (_DRAIN, Purpose.READER),
        (CONSUMER, Purpose.OTHER),
        ((*_EVENT, "app.py:9 poll"), Purpose.OTHER),
        (("lib/asyncio/locks.py:260 Condition.wait", "app.py:9 poll"), Purpose.OTHER),
        (("lib/asyncio/tasks.py:639 sleep", "app.py:9 tick"), Purpose.OTHER),
        (
            (
                "lib/asyncio/streams.py:500 StreamReader._wait_for_data",
                f"{_PACKAGES}/httpcore/_async/connection_pool.py:232 Pool.handle_async_request",
            ),
            Purpose.OTHER,
        ),
    ],
)
def test_purpose(chain: tuple[str, ...], purpose: Purpose) -> None:
    assert purpose_of_task(stack(*chain)) is purpose


def test_a_pool_is_named_with_its_peer() -> None:
    found = findings(with_tasks(wait_of(*POOLED)))["IO160"]
    assert found.title.startswith(
        "Connection pool exhausted: 7 asyncio tasks wait for a free connection in Pool._acquire"
    )
    assert "never given one in 9 s" in found.title
    assert found.evidence["most_to"] == "10.0.0.9:5432"
    assert found.lines[0].startswith("srv/app.py:16 owner_of: 7 asyncio tasks")
    assert found.severity == "high"


def test_a_lock_is_told_with_who_likely_has_it() -> None:
    holder = wait_of("lib/asyncio/streams.py:500 StreamReader.read", "app.py:22 handle", tasks=1)
    found = findings(with_tasks(wait_of(*_LOCKED), holder))["IO160"]
    assert "lock or semaphore" in found.title
    assert found.lines[-1] == "srv/app.py:22 handle: awaited by the task that most likely has it"


def test_waits_now_and_then_are_no_queue() -> None:
    busy = replace(wait_of(*POOLED, tasks=2, longest=100 * MS), mean=0.7)
    assert "IO160" not in findings(with_tasks(busy))


def test_a_peer_that_does_not_read_has_the_line_that_waits() -> None:
    one = with_tasks(wait_of(*_DRAIN, tasks=1))
    sockets = replace(one.sockets, unsent=(Unsent("10.0.0.7:40007", 3_000_000),))
    found = findings(replace(one, sockets=sockets))["IO156"]
    assert "Peer 10.0.0.7:40007 does not read" in found.title
    assert "srv/app.py:21 broadcast" in found.title
    assert found.cost_ns == 9 * S


def test_one_place_is_one_line_however_tasks_came_there() -> None:
    other = wait_of(*POOLED, "lib/site-packages/starlette/routing.py:76 app", tasks=3)
    found = findings(with_tasks(wait_of(*POOLED), other))["IO160"]
    assert found.lines == (
        "srv/app.py:16 owner_of: 10 asyncio tasks at the end, 10.0 on the average, longest 9 s",
    )


def test_a_lock_that_is_had_while_a_thread_works_is_told_with_what_that_does() -> None:
    waits, has = wait_of(*_LOCKED), wait_of("app.py:22 handle", tasks=1)
    reads = in_call(
        "clock_nanosleep", "", f"{_PACKAGES}/pymodbus/client/serial.py:294 recv", "app.py:15 read",
        "lib/concurrent/futures/thread.py:58 run", "lib/concurrent/futures/thread.py:83 _worker",
    )  # fmt: skip
    one = with_tasks(waits, has)
    lines = (line_of(reads, 5_003, 9 * S, 15 * MS, tid=701),)
    assert "awaited by the task" in findings(one)["IO160"].lines[-1]
    told = findings(replace(one, lines=lines))["IO160"].lines
    assert "app.py:15 read -> clock_nanosleep" in told[-1]
    client = wait_of(f"{_PACKAGES}/httpx/_client.py:9 get", "app.py:22 handle", tasks=1)
    asks = replace(with_tasks(waits, client), lines=lines)
    assert "awaited by the task" in findings(asks)["IO160"].lines[-1]


def test_who_has_a_lock_is_in_the_lines_next_to_where_it_is_taken() -> None:
    later = wait_of("lib/asyncio/tasks.py:639 sleep", "app.py:28 handle", tasks=2)
    has = wait_of("app.py:22 handle", tasks=1)
    told = findings(with_tasks(wait_of(*_LOCKED), later, has))["IO160"].lines
    assert "app.py:22 handle: awaited by the task that most likely has it" in told[-1]


_WORKER = f"{_PACKAGES}/taskiq/receiver/receiver.py"
_NO_PLACE = ("lib/asyncio/locks.py:387 Semaphore.acquire", f"{_WORKER}:364 Receiver.prefetcher")


def _job(*awaits: str, runs: str = _WORKER) -> tuple[str, ...]:
    return ("lib/asyncio/tasks.py:639 sleep", *awaits, "tasks.py:14 job", f"{runs}:271 run_task")


def test_jobs_of_a_worker_that_wait_for_other_jobs_are_a_deadlock() -> None:
    results = _job(f"{_PACKAGES}/taskiq/task.py:152 AsyncTaskiqTask.wait_result")
    jobs = wait_of(*results, tasks=100, longest=0)
    takes = wait_of(*_NO_PLACE, tasks=1)
    found = findings(with_tasks(jobs, takes))
    assert found["IO170"].severity == "high"
    assert "100 asyncio tasks of a worker wait for results" in found["IO170"].title
    assert "tasks.py:14 job" in found["IO170"].lines[0]
    assert [one.id for one in found["IO170"].symptoms] == ["IO160"]
    for healthy in (
        (jobs,),  # others are begun meanwhile
        (jobs, wait_of(*_NO_PLACE, tasks=1, longest=S)),  # one was, now and then
        (replace(jobs, mean=97.0), takes),  # some have ended
        (wait_of(*_job(), tasks=100, longest=0), takes),  # they sleep, for no result
        (wait_of(*_job(runs=f"{_PACKAGES}/aiohttp/web.py"), tasks=9), takes),
        (wait_of(*_job(*results[1:2], runs=f"{_PACKAGES}/aiohttp/web.py"), tasks=9), takes),
    ):
        assert "IO170" not in findings(with_tasks(*healthy))


@pytest.mark.parametrize(("limited", "told"), [(19, True), (0, False)])
def test_a_task_that_is_nothing_but_acquire_is_one_of_several_that_are_waited_for(
    *, limited: int, told: bool
) -> None:
    """asyncio.wait((lock.acquire(), messages.get())): channels_redis' receive. Before Python 3.12
    wait_for makes such a task of what it is given as well."""
    bare = wait_of("lib/asyncio/locks.py:114 Lock.acquire", tasks=19)
    waits = wait_of("lib/asyncio/tasks.py:479 wait_for", "app.py:9 page", tasks=limited)
    rows = (bare, waits) if limited else (bare,)
    assert ("IO160" in findings(with_tasks(*rows))) is told
