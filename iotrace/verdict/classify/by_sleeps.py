# SPDX-License-Identifier: Apache-2.0
"""Which I/O model a thread follows, where only its sleeps are known (light detail).

A thread that waits for data sleeps somewhere, and where tells the model: in the read (blocking), in
a multiplexer, in io_uring_enter. One that never sleeps, or sleeps in between asking, can't be told.
"""

from __future__ import annotations

from iotrace.report.model import Loop
from iotrace.verdict.classify.thread_model import Surroundings
from iotrace.verdict.classify.thread_style import ThreadStyle
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.thread_activity import Activity, family_of, waits_for_one

LEAST_SHARE = 0.01
"""Of its time, asleep in a multiplexer or a read: less is no way of life. A saturated server sleeps
little; what it sleeps is in the right place all the same."""
FEWEST_SLEEPS = 5
WAKE_UPS = 1
"""Descriptors beside its listeners, of who watches no connection: a pipe to be woken by."""
UNTOLD = 0.45
"""Agreement where as much speaks for a loop as against it: too little for a label."""


def style_by_sleeps(seen: Activity, around: Surroundings) -> ThreadStyle:
    """The style of one thread; ``samples`` are sleeps."""
    waits_to_accept = _watches_listeners_alone(seen, around)
    if waits_to_accept and not around.served_asleep and not around.connected:
        return _untold(seen, around)
    multiplexed = () if waits_to_accept and around.served_asleep else seen.multiplexers
    watched_to_accept = tuple(loop for loop in seen.multiplexers if loop not in multiplexed)
    accepting = seen.accepts.wait_ns + sum(loop.wait_ns for loop in watched_to_accept)
    reads = seen.reads if seen.reads.wait_ns or not seen.pipe_reads.wait_ns else seen.pipe_reads
    read_ns = 0 if multiplexed and _reads_of_others(seen, around) else reads.wait_ns
    single = tuple(loop for loop in seen.loops if waits_for_one(loop))
    timed, polled = sum(loop.wait_ns for loop in single), _sleeps(single)
    waits = {
        "multiplexer": sum(loop.wait_ns for loop in multiplexed),
        "reads": read_ns + accepting + timed,
        "ring": seen.wait_ns["uring"],
    }
    where = max(waits, key=lambda name: waits[name])
    told = sum(waits.values())
    sleeps = reads.calls + seen.accepts.calls + polled + _sleeps(seen.multiplexers)
    if told <= 0 or (told < LEAST_SHARE * seen.lifetime_ns and sleeps < FEWEST_SLEEPS):
        return ThreadStyle()
    agreement = waits[where] / told
    if where == "ring":
        text = f"{share(waits[where], seen.asleep_ns)} of its sleep is in io_uring_enter"
        # The operations are not seen: how many there were, its times on the CPU tell.
        return ThreadStyle(
            "async-io", "loop", "uring", agreement=agreement, samples=seen.voluntary,
            evidence=(text,),
        )  # fmt: skip
    if where == "multiplexer":
        return _loop(seen, reads.wait_ns + seen.accepts.wait_ns, agreement)
    evidence = [
        f"{duration(reads.wait_ns)} asleep in reads, {plural(reads.calls, 'time')}; "
        f"{duration(seen.accepts.wait_ns)} in accept, {plural(seen.accepts.calls, 'time')}"
    ]
    if timed:
        evidence.append(
            f"{duration(timed)} asleep in polls of one descriptor, {plural(polled, 'time')}: "
            "sockets with a timeout, no multiplexing"
        )
    if watched_to_accept:
        evidence.append(
            f"{duration(sum(loop.wait_ns for loop in watched_to_accept))} asleep in "
            f"{watched_to_accept[0].multiplexer}, which watches its listening sockets alone"
        )
    role = "reader" if reads.wait_ns or timed else "acceptor"
    samples = reads.calls + seen.accepts.calls + polled + _sleeps(watched_to_accept)
    return ThreadStyle(
        "blocking", role, timeouts=timed > reads.wait_ns, agreement=agreement,
        # One long sleep tells as much as many: it is still there.
        samples=max(samples, _long_sleep(waits[where], seen)), evidence=tuple(evidence),
    )  # fmt: skip


def _watches_listeners_alone(seen: Activity, around: Surroundings) -> bool:
    """Its multiplexers have room for the listening sockets and what wakes it up, no connection."""
    return (
        bool(around.listeners and seen.multiplexers)
        and seen.wait_ns["uring"] == 0
        and all(
            loop.watched is not None and loop.watched <= (around.listeners or 0) + WAKE_UPS
            for loop in seen.multiplexers
        )
    )


def _reads_of_others(seen: Activity, around: Surroundings) -> bool:
    """A server's reads that sleep are of what it asks others where no accepted connection was slept
    on, and its multiplexers watch some: they do not tell how it serves."""
    return (
        bool(around.listeners)
        and not around.served_asleep
        and any(
            (loop.watched or 0) > (around.listeners or 0) + WAKE_UPS for loop in seen.multiplexers
        )
    )


def _untold(seen: Activity, around: Surroundings) -> ThreadStyle:
    """It waits for connections, and nothing tells how they are read."""
    main = max(seen.multiplexers, key=lambda loop: loop.wait_ns)
    family = family_of(main)
    evidence = (
        f"{main.multiplexer} watched {plural(main.watched or 0, 'descriptor')}, no more than "
        f"{plural(around.listeners or 0, 'listening socket')} and one to be woken by: nothing that "
        "slept tells how connections are read",
    )
    return ThreadStyle(
        family, "acceptor", family,
        agreement=UNTOLD, samples=_sleeps(seen.multiplexers), evidence=evidence,
    )  # fmt: skip


def _loop(seen: Activity, elsewhere_ns: int, agreement: float) -> ThreadStyle:
    main = max(seen.multiplexers, key=lambda loop: loop.wait_ns)
    family = family_of(main)
    sleeps = _sleeps(seen.multiplexers)
    waited = sum(loop.wait_ns for loop in seen.multiplexers)
    evidence = [
        f"{share(waited, seen.asleep_ns)} of its sleep is in {main.multiplexer}, "
        f"{plural(sleeps, 'time')}; {duration(elsewhere_ns)} in reads and accept",
    ]
    if main.watched:
        trigger = {"edge": "edge-triggered", "level": "level-triggered"}.get(
            main.trigger or "", "some of them edge-triggered"
        )
        evidence.append(f"{plural(main.watched, 'descriptor')} watched, {trigger}")
    edge = family == "epoll" and any(loop.trigger == "edge" for loop in seen.multiplexers)
    return ThreadStyle(
        "epoll-et" if edge else family,
        "loop",
        family,
        agreement=agreement,
        samples=max(sleeps, _long_sleep(waited, seen)),
        evidence=tuple(evidence),
    )


def _sleeps(loops: tuple[Loop, ...]) -> int:
    return sum(loop.sleeps or 0 for loop in loops)


def _long_sleep(waited_ns: int, seen: Activity) -> int:
    """So many sleeps a wait counts for that takes nearly all of a thread's time."""
    return 2 * FEWEST_SLEEPS if waited_ns > 0.9 * seen.lifetime_ns else 0
