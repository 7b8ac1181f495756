"""Labels of hand-made processes: each model, each shape, and too little data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iotrace.report.model import Operation, Process
from iotrace.verdict.classify.confidence import confidence
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    judged,
    loop,
    model_of,
    process,
    sigio,
    thread,
)


def _label(*processes: Process, pid: int = PID) -> tuple[str, str]:
    model = model_of(*processes, pid=pid)
    return model.id, model.shape


@pytest.mark.parametrize(
    ("multiplexer", "model"),
    [
        ("epoll_wait", "epoll"),
        ("epoll_pwait", "epoll"),
        ("epoll_pwait2", "epoll"),
        ("poll", "poll"),
        ("ppoll", "poll"),
        ("select", "select"),
        ("pselect6", "select"),
    ],
)
def test_a_loop_is_named_after_its_multiplexer(multiplexer: str, model: str) -> None:
    assert _label(event_loop(name=multiplexer, nfds=17)) == (model, "event loop")


def test_what_it_asked_for_tells_the_trigger() -> None:
    asked = call("epoll_ctl", "edge", 11)
    edge = replace(event_loop(), calls=(*event_loop().calls, asked))
    assert _label(edge) == ("epoll-et", "event loop")
    level = replace(edge, calls=(*event_loop().calls, replace(asked, kind="level")))
    assert _label(level) == ("epoll", "event loop")


def test_the_interest_list_tells_the_trigger_of_what_was_there_before() -> None:
    assert _label(event_loop(trigger="edge")) == ("epoll-et", "event loop")


def test_blocking() -> None:
    model = model_of(blocking())
    assert (model.id, model.shape, model.title) == (
        "blocking", "single thread", "single thread, blocking I/O",
    )  # fmt: skip
    assert model.evidence[0] == "9.5 s asleep in 503 reads, 0 ms in accept"


def test_a_poll_of_one_descriptor_before_each_read_is_a_timeout() -> None:
    timed = process(
        [thread(user=300 * MS, poll=9_700 * MS)],
        [call("recvfrom", "tcp", 503, bytes=9), call("sendto", "tcp", 503)],
        [loop("poll", 1_006, watched=1, nfds=1, data=503, wait=9_700 * MS)],
        [descriptor(7, nonblocking=True)],
    )
    model = model_of(timed)
    assert (model.id, model.title) == ("blocking", "single thread, blocking I/O with timeouts")


def test_a_select_without_descriptors_is_a_sleep() -> None:
    sleeper = process(
        [thread(user=MS, sleep=9_900 * MS)], [call("pselect6", "no fds", 997, wait=9_900 * MS)]
    )
    assert model_of(sleeper).id == "unknown"


def test_polling() -> None:
    asked = process(
        [thread(user=5 * S, kernel=5 * S)],
        [
            call("recvfrom", "tcp", 90_007, errors={"EAGAIN": 90_000}),
            call("accept4", "tcp", 90_001, errors={"EAGAIN": 90_000}),
        ],
        (),
        [descriptor(7)],
    )
    assert _label(asked) == ("nonblocking", "single thread")


def test_a_poller_whose_every_read_finds_data_still_polls() -> None:
    busy = process(
        [thread(user=9 * S, kernel=S)],
        [
            call("recvfrom", "tcp", 90_007, errors={"EAGAIN": 3}),
            call("accept4", "tcp", 503, errors={"EAGAIN": 500}),
        ],
        (),
        [descriptor(7)],
    )
    assert _label(busy) == ("nonblocking", "single thread")


def test_a_receive_timeout_is_no_polling() -> None:
    waits = process(
        [thread(user=MS, recv=9_900 * MS)],
        [call("recvfrom", "tcp", 100, errors={"EAGAIN": 90}, wait=9_900 * MS)],
        (),
        [descriptor(7, nonblocking=False)],
    )
    assert model_of(waits).id == "blocking"


def test_signals() -> None:
    driven = process(
        [thread(user=300 * MS, signal=9_700 * MS)],
        [call("recvfrom", "tcp", 1_006, errors={"EAGAIN": 503})],
        (),
        [descriptor(7)],
        signals=sigio(499),
    )
    assert _label(driven) == ("signal", "event loop")


def test_a_ring() -> None:
    ring = process(
        [thread(user=300 * MS, uring=9_700 * MS)],
        [call("io_uring_enter", "", 997)],
        operations=(Operation("recv", 503, {}, 9, None), Operation("send", 503, {}, 9, None)),
    )
    assert _label(ring) == ("async-io", "event loop")


def test_a_ring_that_only_polls_is_none() -> None:
    polls = replace(event_loop(), operations=(Operation("poll_add", 5_003, {}, 0, None),))
    assert _label(polls) == ("epoll", "event loop")


def test_a_worker_that_waits_for_connections_and_blocks_in_reads() -> None:
    sync = process(
        [thread(user=300 * MS, poll=9_600 * MS, recv=100 * MS)],
        [
            call("accept4", "tcp", 1_006, errors={"EAGAIN": 503}),
            call("recvfrom", "tcp", 503, wait=100 * MS),
            call("sendto", "tcp", 503),
        ],
        [loop("pselect6", 503, data=0, eager=503, watched=2, nfds=8)],
        [descriptor(7, nonblocking=False)],
    )
    assert _label(sync) == ("blocking", "single thread")


def test_what_is_read_first_and_waited_for_when_refused() -> None:
    eager = process(
        [thread(user=300 * MS, poll=9_700 * MS)],
        [
            call("accept4", "tcp", 1_006, errors={"EAGAIN": 503}),
            call("recvfrom", "tcp", 1_006, errors={"EAGAIN": 101}),
        ],
        [loop("epoll_wait", 604, data=101, eager=503)],
        [descriptor(7)],
    )
    assert _label(eager) == ("epoll", "greenlets")


def test_without_a_refusal_that_a_loop_waited_for_nothing_speaks_of_greenlets() -> None:
    reads = {"never refused": 0, "waited for in a poll of their own": 101}
    for refused in reads.values():
        eager = process(
            [thread(user=300 * MS, poll=9_700 * MS)],
            [
                call("accept4", "tcp", 503),
                call("recvfrom", "tcp", 503 + refused, errors={"EAGAIN": refused}),
            ],
            [
                loop("epoll_wait", 503, data=0, eager=503),
                loop("poll", refused, data=0, watched=1, nfds=1),
            ],
            [descriptor(7)],
        )
        assert _label(eager) == ("epoll", "event loop")


@pytest.mark.parametrize("reads", [0, 1, 3])
def test_too_little_is_not_enough(reads: int) -> None:
    idle = process(
        [thread(recv=10 * S)], [call("recvfrom", "tcp", reads, wait=10 * S)], (), [descriptor(7)]
    )
    model = model_of(idle)
    assert (model.id, model.title) == ("unknown", "not enough seen yet")
    assert model.confidence < 0.5
    assert model.evidence[0].startswith("it looks like: ")
    assert model.evidence[0].endswith(f"; operations that tell: {reads}")


def test_confidence_grows_with_what_was_seen_and_with_how_much_of_it_agrees() -> None:
    assert confidence(1.0, 0) == 0
    assert confidence(1.0, 4) == 0.5
    assert confidence(1.0, 96) == 0.96
    assert confidence(0.5, 96) == 0.48


def test_the_name_of_a_program_changes_nothing() -> None:
    one = event_loop()
    other = replace(one, name="gunicorn", cmdline=("gunicorn", "-k", "gevent"), python=None)
    assert model_of(one) == model_of(other)


def test_a_pools_thread_that_reads_a_serial_port_runs_no_loop() -> None:
    """A select of the port and a pipe before each read; it sleeps between its looks."""

    def reader(lock: int, sleep: int, multiplexer: str = "pselect6") -> Process:
        return process(
            [thread(user=100 * MS, lock=lock, sleep=sleep)],
            [
                call("read", "tty", 101, bytes=900),
                call("write", "tty", 101, bytes=800),
                call("clock_nanosleep", "", 2_003, wait=sleep),
                call("futex", "", 53, wait=lock),
            ],
            [loop(multiplexer, 211, watched=2, nfds=9, wait=0)],
        )

    blocked = {
        (lock, name): any(
            one.id == "IO104"
            for found in judged(reader(lock, 9_900 * MS - lock, name)).findings
            for one in (found, *found.symptoms)
        )
        for lock in (0, 4_500 * MS)
        for name in ("pselect6", "epoll_wait")
    }
    assert blocked == {
        (0, "pselect6"): True,
        (0, "epoll_wait"): True,
        (4_500 * MS, "pselect6"): False,
        (4_500 * MS, "epoll_wait"): True,
    }
