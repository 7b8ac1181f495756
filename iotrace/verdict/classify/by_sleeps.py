# SPDX-License-Identifier: Apache-2.0
"""Which I/O model a thread follows, where only its sleeps are known (light detail).

A thread that waits for data sleeps somewhere, and where tells the model: in the read (blocking), in
a multiplexer, in io_uring_enter. One that never sleeps, or sleeps in between asking, can't be told.
"""

from __future__ import annotations

from iotrace.report.model import Loop
from iotrace.verdict.classify.thread_style import ThreadStyle
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.thread_activity import Activity, family_of, waits_for_one

LEAST_SHARE = 0.01
"""Of its time, asleep in a multiplexer or a read: less is no way of life. A saturated server sleeps
little; what it sleeps is in the right place all the same."""
FEWEST_SLEEPS = 5


def style_by_sleeps(seen: Activity) -> ThreadStyle:
    """The style of one thread; ``samples`` are sleeps."""
    reads = seen.reads if seen.reads.wait_ns or not seen.pipe_reads.wait_ns else seen.pipe_reads
    single = tuple(loop for loop in seen.loops if waits_for_one(loop))
    timed, polled = sum(loop.wait_ns for loop in single), _sleeps(single)
    waits = {
        "multiplexer": sum(loop.wait_ns for loop in seen.multiplexers),
        "reads": reads.wait_ns + seen.accepts.wait_ns + timed,
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
    role = "reader" if reads.wait_ns or timed else "acceptor"
    samples = reads.calls + seen.accepts.calls + polled
    return ThreadStyle(
        "blocking", role, timeouts=timed > reads.wait_ns, agreement=agreement,
        # One long sleep tells as much as many: it is still there.
        samples=max(samples, _long_sleep(waits[where], seen)), evidence=tuple(evidence),
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
