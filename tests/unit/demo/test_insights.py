"""Sentences that are built from the figures of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from iotrace.servers.catalog import MODELS
from iotrace.servers.load_plan import Times

from iotrace.demo.figures import Run, figures
from iotrace.demo.insights import insights
from iotrace.report.model import Operation, Pickup, Quantiles, Report, Signal
from tests.unit.demo.samples import (
    PID,
    blocking,
    call,
    descriptor,
    loop,
    process,
    report,
    result,
    thread,
)


def run(model: str, seen: Report, requests: int = 10, variant: str = "", **changes: object) -> Run:
    return Run(model, variant, seen, figures(seen, requests), result(requests, **changes))  # type: ignore[arg-type]


def told(one: Run) -> str:
    return "\n".join(insights(one))


@pytest.mark.parametrize("model", [model.id for model in MODELS])
def test_every_model_has_two_sentences_or_three(model: str) -> None:
    assert 2 <= len(insights(run(model, blocking()))) <= 3


def test_blocking() -> None:
    assert insights(run("blocking", blocking())) == (
        "Both phases block: 20.0 ms of wait and 2.00 us of copy a request; 100 % of its wait is "
        "in recvfrom.",
        "Asleep it uses no CPU: 42.0 us of CPU time a request, for 2.0 calls.",
    )


def test_blocking_with_many_clients_makes_them_wait() -> None:
    spread = Times(10, 100, 200, 300, 2_000_000_000)
    words = told(run("blocking", blocking(), connections=5, latency_ns=spread))
    assert "of 5 clients the last one waited 2.00 s for its first answer" in words


def test_polling_without_and_with_sleeps() -> None:
    polls = process(
        thread(cpu_ns=200_000_000, syscalls=50_020),
        calls=(
            call("recvfrom", 50_010, octets=840, eagain=50_000),
            call("clock_nanosleep", 0, kind=""),
        ),
        descriptors=(descriptor(pickup=Pickup(10, 7_000, 8_000, 9_000)),),
    )
    assert insights(run("nonblocking", report(polls))) == (
        "No call waited for data; 50,000 of 50,020 calls found nothing (EAGAIN), 5,000 for each "
        "request.",
        "So 20.0 ms of CPU time went into a request, 238 us for each byte read.",
        "For that price it is quick: data was read 7.00 us (median) after it had come.",
    )
    crowded = replace(
        polls,
        threads=(thread(runq_ns=90_000_000),),
        descriptors=(descriptor(pickup=Pickup(10, 2_500_000, 1, 1)),),
    )
    words = told(run("nonblocking", report(crowded)))
    assert "9.00 ms a request in the run queue, and data was read 2.50 ms" in words
    asleep = replace(
        polls, calls=(polls.calls[0], call("clock_nanosleep", 30, kind="", wait_ns=90_000_000))
    )
    assert "it slept, 9.00 ms a request, and so data lay ready for 7.00 us" in told(
        run("nonblocking", report(asleep))
    )


def test_multiplexing_waits_in_the_multiplexer() -> None:
    seen = report(
        process(
            thread(syscalls=31),
            calls=(
                call("epoll_wait", 11, kind="", wait_ns=10**9, kernel_ns=55_000),
                call("recvfrom", 10, octets=840),
            ),
        )
    )
    assert insights(run("epoll", seen)) == (
        "100 % of its wait is in epoll_wait and 0 in a read: it is the multiplexer that waits, "
        "and the read finds its data there.",
        "1.1 multiplexer calls a request come on top of the read and the answer: 3.1 calls in "
        "all. With one client that is only dearer than blocking; it pays when one thread watches "
        "many.",
        "One call of the multiplexer cost 5.00 us of CPU time.",
    )


def test_signals_and_operations_are_counted() -> None:
    seen = process(
        thread(copy_ns=20_000),
        calls=(
            call("recvfrom", 10, octets=840),
            call("rt_sigsuspend", 10, kind="", wait_ns=10**8),
        ),
        descriptors=(descriptor(pickup=Pickup(10, 60_000, 1, 1)),),
        signals=(Signal(PID, "SIGIO", 11),),
    )
    words = told(run("signal", report(seen)))
    assert "11 SIGIO signals for 10 requests" in words
    assert "data lay ready for 60.0 us (median)" in words
    assert "The copy, 2.00 us a request, is still the caller's" in words
    done = Operation("recv", 11, {}, 840, Quantiles(19_900_000, 1, 1))
    words = told(run("async-io", report(process(operations=(done,)))))
    assert "11 receive operations from submission to completion, each took 19.9 ms" in words
    assert "and 0 read calls" in words


@pytest.mark.parametrize(("count", "words"), [(1, "1 child process for"), (5, "5 child processes")])
def test_children_are_counted(count: int, words: str) -> None:
    child = process(
        thread(tid=0, count=count),
        calls=(call("recvfrom", count, tid=0, octets=84),),
        pid=0,
        parent=PID,
        count=count,
    )
    assert words in told(run("fork", report(process(), child), count))


def test_threads_pay_for_the_interpreter_lock_if_at_all() -> None:
    free = process(thread(), thread(tid=0, count=4), calls=(call("recvfrom", 4, tid=0, octets=84),))
    words = told(run("thread", report(free), 4))
    assert "4 threads for 4 requests" in words
    assert "lock" not in words
    locked = replace(free, calls=(*free.calls, call("futex", 4, tid=0, kind="", wait_ns=4_000)))
    assert "1.00 us of wait for locks" in told(run("thread", report(locked), 4))


def test_a_level_triggered_spin_is_told_even_if_nothing_is_answered() -> None:
    seen = report(
        process(thread(cpu_ns=2 * 10**9), loops=(loop("epoll_wait", 1000, unserved=997),))
    )
    assert insights(
        run("epoll", seen, 0, "no-read", latency_ns=None, errors={"unanswered": 1})
    ) == (
        "997 of 1,000 returns of epoll_wait told of something that was then neither read nor "
        "accepted: level-triggered, it returns at once and tells so again, for 2.00 s of CPU time "
        "in all.",
        "1 request never got an answer.",
    )
    elsewhere = report(
        process(
            calls=(
                call("recvfrom", 10, octets=840),
                call("clock_nanosleep", 10, kind="", wait_ns=10**9),
            )
        )
    )
    assert "100 % of its wait is in clock_nanosleep, and not where" in told(run("poll", elsewhere))
    served = report(process(loops=(loop("epoll_wait", 1000, unserved=3),)))
    assert "told of something" not in told(run("epoll", served))


def test_data_left_behind_is_told() -> None:
    seen = report(
        process(
            calls=(call("recvfrom", 10, octets=840),),
            descriptors=(
                descriptor(pickup=Pickup(10, 1_000, 2_000, 50_300_000), unread_ns=1_200_000_000),
            ),
        )
    )
    words = told(run("epoll-et", seen, variant="stop-early"))
    assert "half of the answers took longer than 100 us" in words
    assert "never empty for up to 50.3 ms" in words
    assert "At the end data had been lying unread for 1.20 s." in words


def test_what_the_clients_met_is_told() -> None:
    why = "select cannot watch a descriptor above 1023"
    met = {"refused": 480, "unanswered": 480, "reset": 2}
    words = told(run("select", blocking(), errors=met, refusals=(why,)))
    assert f"480 requests never got an answer. Refused: {why}." in words
    assert "The clients met errors: 2 reset." in words


def test_slow_handlers_and_late_accepts() -> None:
    spread = Times(10, 99_000_000, 1, 1, 140_000_000)
    slow = run("poll", blocking(), variant="slow-handler", connections=5, latency_ns=spread)
    assert "5 clients share its thread: half of the answers took longer than 99.0 ms" in told(slow)
    late = run("select", blocking(), variant="slow-accept", latency_ns=spread)
    assert "The slowest client waited 140 ms" in told(late)
