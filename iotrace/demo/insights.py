# SPDX-License-Identifier: Apache-2.0
"""What to see in a run: two or three sentences, built from its figures."""

from __future__ import annotations

from collections.abc import Callable

from iotrace.demo.figures import Run, lock_wait_ns
from iotrace.output.units import format_count, format_duration, format_percent, plural
from iotrace.vocabulary.calls import MULTIPLEXERS, READS, SLEEPS

_QUICK_NS = 500_000
_LATE = 3
"""Clients of which one waits so many times as long as the median are not served alike."""


def insights(run: Run) -> tuple[str, ...]:
    """Two or three sentences, most important first."""
    if not run.figures.requests:
        return (*_unserved(run), *_unanswered(run))
    special = [*_unserved(run), *_of_variant(run), *_unanswered(run)]
    usual = _OF_MODEL[run.model](run)
    return (*usual[: 1 if special else None], *special)


def _unserved(run: Run) -> list[str]:
    """Level-triggering that reports again and again."""
    found = [loop for loop in run.loops if (loop.unserved or 0) > (loop.iterations or 0) / 2]
    return [
        f"{format_count(loop.unserved)} of {format_count(loop.iterations)} returns of "
        f"{loop.multiplexer} told of something that was then neither read nor accepted: "
        "level-triggered, it returns at once and tells so again, for "
        f"{format_duration(run.figures.cpu_ns)} of CPU time in all."
        for loop in found[:1]
    ]


def _of_variant(run: Run) -> list[str]:
    spread, pickup = run.result.latency_ns, run.figures.pickup
    if spread is None:
        return []
    if run.variant == "slow-handler":
        return [
            f"The handler is slow, and {plural(run.result.connections, 'client')} share its "
            f"thread: half of the answers took longer than {format_duration(spread.p50)}."
        ]
    if run.variant == "stop-early" and pickup is not None:
        return [
            f"It stops reading before EAGAIN. What is left behind waits for the next edge: half of "
            f"the answers took longer than {format_duration(spread.p50)}, and the connection was "
            f"never empty for up to {format_duration(pickup.max)}."
        ]
    if run.variant == "slow-accept":
        slowest = max(run.result.connect_ns.max if run.result.connect_ns else 0, spread.max)
        return [
            f"The slowest client waited {format_duration(slowest)}, because it was accepted late."
        ]
    return []


def _unanswered(run: Run) -> list[str]:
    left = run.result.errors.get("unanswered", 0)
    unread = [d.unread_ns for p in run.report.processes for d in p.descriptors if d.unread_ns]
    why = "".join(f" Refused: {reason}." for reason in run.result.refusals)
    said = [f"{plural(left, 'request')} never got an answer.{why}"] if left else []
    others = {
        kind: number
        for kind, number in run.result.errors.items()
        if kind not in ("unanswered", "refused")
    }
    if others:
        met = ", ".join(f"{format_count(number)} {kind}" for kind, number in others.items())
        said.append(f"The clients met errors: {met}.")
    if unread:
        said.append(f"At the end data had been lying unread for {format_duration(max(unread))}.")
    return said


def _where(run: Run) -> str:
    syscall, share = run.figures.asleep_in
    return f"{format_percent(share, 1.0)} of its wait is in {syscall}"


def _wait_and_copy(run: Run) -> str:
    return (
        f"{run.duration(run.figures.wait_ns)} of wait and {run.duration(run.figures.copy_ns)} of "
        "copy a request"
    )


def _blocking(run: Run) -> list[str]:
    said = [
        f"Both phases block: {_wait_and_copy(run)}; {_where(run)}.",
        f"Asleep it uses no CPU: {run.duration(run.figures.cpu_ns)} of CPU time a request, for "
        f"{run.each(run.figures.calls):.1f} calls.",
    ]
    spread = run.result.latency_ns
    if run.result.connections > 1 and spread is not None and spread.max > _LATE * spread.p50:
        said.append(
            f"One thread serves one client at a time: of {run.result.connections:,} clients the "
            f"last one waited {format_duration(spread.max)} for its first answer."
        )
    return said


def _nonblocking(run: Run) -> list[str]:
    seen = run.figures
    slept_ns = sum(wait_ns for call, wait_ns in seen.waits.items() if call in SLEEPS)
    said = [
        f"No call waited for data; {seen.eagain:,} of {seen.calls:,} calls found "
        f"nothing (EAGAIN), {round(run.each(seen.eagain)):,} for each request.",
        f"So {run.duration(seen.cpu_ns)} of CPU time went into a request, "
        f"{format_duration(seen.cpu_ns / max(seen.read_bytes, 1))} for each byte read.",
    ]
    if seen.pickup:
        late = format_duration(seen.pickup.p50)
        said.append(
            f"Between its rounds it slept, {run.duration(slept_ns)} a request, and so data lay "
            f"ready for {late} (median) before it was read."
            if slept_ns
            else _price_of_speed(run, seen.pickup.p50)
        )
    return said


def _price_of_speed(run: Run, late_ns: int) -> str:
    late = format_duration(late_ns)
    if late_ns < _QUICK_NS:
        return f"For that price it is quick: data was read {late} (median) after it had come."
    return (
        "It never sleeps, but other programs want the CPU as well: "
        f"{run.duration(run.figures.runq_ns)} a request in the run queue, and data was read "
        f"{late} (median) after it had come."
    )


def _multiplexing(run: Run) -> list[str]:
    seen = run.figures
    mean_ns = seen.multiplexer_ns / max(seen.multiplexer_calls, 1)
    alone = (
        "With one client that is only dearer than blocking; it pays when one thread watches many."
        if run.result.connections == 1
        else f"One thread serves {plural(run.result.connections, 'client')} with them."
    )
    return [
        _in_the_multiplexer(run),
        f"{run.each(seen.multiplexer_calls):,.1f} multiplexer calls a request come on top of the "
        f"read and the answer: {run.each(seen.calls):,.1f} calls in all. {alone}",
        f"One call of the multiplexer cost {format_duration(mean_ns)} of CPU time.",
    ]


def _in_the_multiplexer(run: Run) -> str:
    waits = run.figures.waits
    in_reads_ns = sum(wait_ns for call, wait_ns in waits.items() if call in READS)
    if run.figures.asleep_in[0] not in MULTIPLEXERS:
        return f"{_where(run)}, and not where readiness is waited for."
    return (
        f"{_where(run)} and {format_duration(in_reads_ns)} in a read: it is the multiplexer that "
        "waits, and the read finds its data there."
    )


def _edge_triggered(run: Run) -> list[str]:
    seen = run.figures
    return [
        _in_the_multiplexer(run),
        "An edge is reported once, so the server reads until there is no more: "
        f"{plural(seen.eagain, 'call')} ended in EAGAIN, {run.each(seen.calls):.1f} calls a "
        "request.",
    ]


def _signal(run: Run) -> list[str]:
    seen = run.figures
    late = f"{format_duration(seen.pickup.p50)} (median)" if seen.pickup else "some time"
    return [
        f"{plural(seen.signals.get('SIGIO', 0), 'SIGIO signal')} for "
        f"{plural(seen.requests, 'request')}: the kernel tells when data is ready, and no read "
        "waits for it.",
        f"{_where(run)}, because it has nothing else to do. The way through the handler takes "
        f"time: data lay ready for {late} before it was read.",
        f"The copy, {run.duration(seen.copy_ns)} a request, is still the caller's: synchronous.",
    ]


def _async_io(run: Run) -> list[str]:
    operations = [
        operation
        for process in run.report.processes
        for operation in process.operations
        if operation.op == "recv"
    ]
    done = sum(operation.count for operation in operations)
    times = next((o.submit_to_complete_ns for o in operations if o.submit_to_complete_ns), None)
    took = f", each took {format_duration(times.p50)} (median)" if times else ""
    return [
        f"{plural(done, 'receive operation')} from submission to completion{took}, and "
        f"{plural(run.figures.read_calls, 'read call')}: the kernel waits and copies, then tells.",
        f"{_where(run)}, because it has nothing else to do: no read holds it up.",
        f"{run.each(run.figures.calls):.1f} calls a request: one hands over the answer and the "
        "next receive, and brings the last result.",
    ]


def _asyncio(run: Run) -> list[str]:
    return [
        *_multiplexing(run)[:1],
        f"The copy, {run.duration(run.figures.copy_ns)} a request, is done in a read of the loop's "
        "own thread, and no coroutine runs meanwhile: synchronous, whatever its name.",
        f"{run.each(run.figures.calls):.1f} calls a request; "
        f"{run.duration(run.figures.cpu_ns)} of CPU time.",
    ]


def _fork(run: Run) -> list[str]:
    seen = run.figures
    children = seen.processes - 1
    return [
        f"{format_count(children)} child process{'' if children == 1 else 'es'} for "
        f"{plural(seen.requests, 'request')}: each waits in its own recvfrom, and blocks nobody.",
        f"The price of a process: {run.each(seen.calls):.1f} calls, "
        f"{run.each(seen.voluntary + seen.involuntary):.1f} context switches and "
        f"{run.duration(seen.cpu_ns)} of CPU time a request.",
    ]


def _thread(run: Run) -> list[str]:
    seen = run.figures
    locks_ns = lock_wait_ns(seen.waits)
    locks = f"; {run.duration(locks_ns)} of wait for locks (the interpreter's)" if locks_ns else ""
    return [
        f"{plural(seen.threads - 1, 'thread')} for {plural(seen.requests, 'request')}: each waits "
        f"in its own recvfrom; {_where(run)}.",
        f"The price of a thread: {run.each(seen.calls):.1f} calls, "
        f"{run.each(seen.voluntary + seen.involuntary):.1f} context switches and "
        f"{run.duration(seen.cpu_ns)} of CPU time a request{locks}.",
    ]


_OF_MODEL: dict[str, Callable[[Run], list[str]]] = {
    "blocking": _blocking,
    "nonblocking": _nonblocking,
    "select": _multiplexing,
    "poll": _multiplexing,
    "epoll": _multiplexing,
    "epoll-et": _edge_triggered,
    "selectors": _multiplexing,
    "signal": _signal,
    "async-io": _async_io,
    "asyncio": _asyncio,
    "fork": _fork,
    "thread": _thread,
    "event-queue": _multiplexing,
}
