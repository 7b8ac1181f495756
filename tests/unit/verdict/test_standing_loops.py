"""asyncio loops whose thread stays in one callback."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import OpenSockets, Process, TaskWaits
from iotrace.report.stacks import CpuSample
from tests.unit.verdict import made_tasks
from tests.unit.verdict.made import (
    PID,
    Found,
    S,
    call,
    findings,
    loop,
    own_place,
    process,
    stack,
    thread,
)

_LOOP = (
    "lib/asyncio/events.py:80 Handle._run",
    "lib/asyncio/base_events.py:1922 BaseEventLoop._run_once",
    "srv.py:26 <module>",
)
_CALLED = (
    "lib/site-packages/starlette/responses.py:246 StreamingResponse.listen_for_disconnect",
    "report.py:35 main",
)
_RECEIVES = "lib/site-packages/httpx/_dispatch/asgi.py:78 receive"


def _sampled(samples: int, *places: str) -> CpuSample:
    frames = stack(*places)
    return CpuSample(PID, samples, samples * S // 200, 0, 0, 0, own_place(frames), frames)


def _computing(
    *rows: CpuSample,
    tasks: int = 0,
    pending: int = 0,
    unread: int = 0,
    iterations: int = 0,
    listens: bool = True,
) -> Process:
    """Ten seconds of one thread, and so many tasks that wait."""
    loops = [loop(iterations=iterations, wait=0)] if iterations else []
    waits = (made_tasks.wait_of(*made_tasks.SERVED, tasks=tasks),) if tasks else ()
    sockets = OpenSockets(9, ("127.0.0.1:8000",) if listens else (), pending, unread)
    return replace(
        process([thread(user=10 * S)], loops=loops),
        cpu_samples=rows,
        sockets=sockets,
        tasks=TaskWaits(9, 9 * S, 9, waits),
    )


def _found(one: Process) -> Found:
    return findings(one)["IO133"]


_SPIN = (_sampled(1_500, _RECEIVES, *_CALLED, *_LOOP), _sampled(500, *_CALLED, *_LOOP))


def test_a_loop_that_stands_still_is_named_with_what_does_not_return() -> None:
    found = _found(_computing(*_SPIN, tasks=2))
    assert found.severity == "medium"
    assert found.title.startswith("An event loop stands still with 2 other tasks: its thread")
    assert "starlette/responses.py:246 StreamingResponse.listen_for_disconnect" in found.title
    assert found.lines[1].startswith("starlette/responses.py:246 ")
    assert "never comes back to the loop" in found.title
    assert "does not give way" in found.advice
    clients = _found(_computing(*_SPIN, pending=1))
    assert clients.severity == "high"
    assert clients.title.endswith("and clients get no answer")


def test_the_programs_own_loop_is_told_once() -> None:
    rows = (
        _sampled(1_500, "lib/site-packages/websockets/a.py:313 recv", "srv.py:14 echo", *_LOOP),
        _sampled(500, "srv.py:14 echo", *_LOOP),
    )
    found = _found(_computing(*rows, tasks=1))
    assert "goes round, in srv.py:14 echo" in found.title
    assert sum("srv.py:14 echo" in line for line in found.lines) == 1


def test_a_program_that_has_nothing_else_to_do_may_compute() -> None:
    for tasks in (0, 1, 7):
        assert _found(_computing(*_SPIN, tasks=tasks, unread=1, listens=False)).severity == "low"


def test_data_that_others_read_is_no_clients_of_the_loop() -> None:
    """It may be the loop's own pipe, an answer, or for native threads, as in a Jupyter kernel."""
    found = _found(_computing(*_SPIN, tasks=1, unread=1))
    assert found.severity == "medium"
    assert "clients" not in found.title
    one = _computing(*_SPIN, tasks=1, pending=1)
    native = replace(one, calls=(*one.calls, call("accept4", "tcp", 3, tid=701)))
    assert "clients" not in _found(replace(native, threads=(*one.threads, thread(701)))).title


def test_loops_that_come_round_and_threads_without_one_do_not_stand() -> None:
    rare = (_SPIN[0], _sampled(300, *_CALLED, "srv.py:26 <module>"))
    plain = _sampled(2_000, *_CALLED, "srv.py:26 <module>")
    for one in (
        _computing(*_SPIN, tasks=2, iterations=9),
        _computing(plain, tasks=2),
        _computing(*rare, tasks=2),
        _computing(_sampled(19, *_CALLED, *_LOOP), tasks=2),
    ):
        assert "stands still" not in _found(one).title
