# SPDX-License-Identifier: Apache-2.0
"""Which I/O model a thread follows, from what it did.

Stevens, UNIX Network Programming vol. 1, ch. 6: the models differ in where a thread waits for
data. So the question is what told the thread to read: the read itself (blocking), nobody
(polling), a multiplexer, a signal, or nobody had to (io_uring).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.report.model import Operation
from iotrace.verdict.classify.one_at_a_time import serves_in_turn, serving_in_turn
from iotrace.verdict.classify.thread_style import ThreadStyle
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.thread_activity import Activity, family_of
from iotrace.vocabulary.operations import RING_IO

MULTIPLEXED = frozenset(("select", "poll", "epoll", "epoll-et"))

POLLING_REFUSALS = 0.5
"""Share of reads and accepts that are refused (EAGAIN), from which on a thread polls."""
WAITS_IN_READS = 0.5
"""Share of its time asleep in reads, from which on refused reads are timeouts (SO_RCVTIMEO)."""
RING_SHARE = 0.5
SIGNALS_PER_READ = 0.2
"""One SIGIO may stand for several reads, for it is not queued: signal(7)."""
TOLD_SHARE = 0.05
"""Descriptors announced for each read; a large message takes many reads."""
ASLEEP_SHARE = 0.5
LOOK_SHARE = 0.05
"""Of its time asleep, below which a thread only looks into its multiplexer in passing."""
READ_SHARE = 0.1
"""Reads for each return of a multiplexer, below which its thread leaves the reading to others."""
BLOCKED_SHARE = 0.01
"""Of its time asleep in reads and accepts, below which it never blocked."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What its process tells of a thread. ``operations``: of io_uring; ``nonblocking``: most of
    the connections are (None: not known); ``multiplexed``: some thread uses a multiplexer.

    ``listeners``: addresses that it accepts connections on (None: not known), ``connected``: it
    had other sockets at the end. ``served``: data moved on connections that it has accepted;
    ``served_asleep``: a thread slept in a read or a poll of one alone. ``native_waits``: it runs
    Python, and is not in Python code when it waits in a multiplexer.
    """

    operations: Sequence[Operation] = ()
    nonblocking: bool | None = None
    multiplexed: bool = False
    listeners: int | None = None
    connected: bool = False
    served: bool = False
    served_asleep: bool = False
    native_waits: bool = False


def thread_style(seen: Activity, around: Surroundings) -> ThreadStyle:
    """The style of one thread."""
    ring = sum(one.count for one in around.operations if one.op in RING_IO)
    moved = seen.reads.ok + seen.writes.ok + seen.accepts.ok
    if ring and ring >= RING_SHARE * (ring + moved) and seen.syscalls:
        return _ring(seen, ring, moved)
    multiplexers = seen.multiplexers
    often = seen.io_signals >= SIGNALS_PER_READ * seen.reads.ok
    if seen.io_signals and (often or (not multiplexers and _never_blocks(seen))):
        return _signals(seen)
    announced = sum(loop.data_iterations or 0 for loop in multiplexers)
    eager = sum(loop.eager_reads or 0 for loop in multiplexers)
    if around.native_waits and serves_in_turn(seen, around.listeners):
        return serving_in_turn(seen)
    told = announced > eager and _is_told(seen)
    if multiplexers and (told or (eager and around.nonblocking is not False)):
        return _loop(seen, announced, eager, around)
    if multiplexers and _hands_out(seen):
        return _acceptor(seen)
    return _single(seen, around)


def _is_told(seen: Activity) -> bool:
    """Its multiplexers announce its reads: in number, or it sleeps nowhere else."""
    ready = sum(
        loop.ready.mean * (loop.iterations or 0) for loop in seen.multiplexers if loop.ready
    )
    waited = sum(loop.wait_ns for loop in seen.multiplexers)
    # It is given work through a lock, and the multiplexer is its timeout; or it polls for something
    # else while it handles a request.
    elsewhere = max(_between_jobs(seen), seen.polled_in_handlers_ns)
    if waited < LOOK_SHARE * seen.asleep_ns and elsewhere >= ASLEEP_SHARE * seen.asleep_ns:
        return False
    return ready >= TOLD_SHARE * seen.reads.ok or waited >= ASLEEP_SHARE * seen.asleep_ns


def _between_jobs(seen: Activity) -> int:
    """Asleep in locks; and in sleeps, where a thread that is given its work through a lock looks
    with select or poll whether there is something to read (a serial port's read): whoever has a
    loop that is blocked by sleeps waits in no lock."""
    lock = seen.wait_ns["lock"]
    looks = all(family_of(loop) != "epoll" for loop in seen.multiplexers)
    return lock + seen.wait_ns["sleep"] if looks and lock >= LOOK_SHARE * seen.asleep_ns else lock


def _hands_out(seen: Activity) -> bool:
    """It reads nothing, or hardly ever: others read what its multiplexers announce."""
    returns = sum((loop.iterations or 0) - (loop.empty or 0) for loop in seen.multiplexers)
    unserved = sum(loop.unserved or 0 for loop in seen.multiplexers)
    seldom = seen.reads.calls < READ_SHARE * returns and unserved > READ_SHARE * returns
    return not seen.reads.calls or seldom


def _never_blocks(seen: Activity) -> bool:
    return seen.reads.wait_ns + seen.accepts.wait_ns < BLOCKED_SHARE * seen.lifetime_ns


def _ring(seen: Activity, ring: int, moved: int) -> ThreadStyle:
    waited = seen.wait_ns["uring"]
    evidence = (
        f"{plural(ring, 'operation')} through io_uring, {moved:,} by a call of its own",
        f"{share(waited, seen.asleep_ns)} of its sleep is in io_uring_enter, "
        f"{duration(seen.reads.wait_ns)} in reads",
    )
    return ThreadStyle(
        "async-io", "loop", "uring", False, False, ring / (ring + moved), ring, evidence
    )


def _signals(seen: Activity) -> ThreadStyle:
    elsewhere = seen.reads.wait_ns + sum(loop.wait_ns for loop in seen.loops)
    evidence = (
        f"{plural(seen.io_signals, 'SIGIO')} for {plural(seen.reads.ok, 'read')}",
        f"{duration(seen.reads.wait_ns)} blocked in reads, "
        f"{share(seen.wait_ns['signal'], seen.asleep_ns)} of its sleep waits for a signal",
    )
    agreement = 1 - elsewhere / seen.asleep_ns if seen.asleep_ns else 1.0
    return ThreadStyle(
        "signal", "loop", "signal", False, False, agreement, seen.io_signals, evidence
    )


def _main_family(seen: Activity) -> str:
    """The mechanism that told it most."""
    told: dict[str, int] = {}
    for loop in seen.multiplexers:
        family = family_of(loop)
        told[family] = (
            told.get(family, 0)
            + (loop.data_iterations or 0)
            + (loop.iterations or 0)
            - (loop.empty or 0)
        )
    return max(told, key=lambda family: told[family])


def _loop(seen: Activity, announced: int, eager: int, around: Surroundings) -> ThreadStyle:
    family = _main_family(seen)
    loops = [loop for loop in seen.multiplexers if family_of(loop) == family]
    edge = family == "epoll" and _edge_triggered(seen)
    waited = sum(loop.wait_ns for loop in loops)
    name = loops[0].multiplexer
    # How it reads what it asks of others does not tell how it serves.
    others = around.served and not around.served_asleep
    of_others = (
        ", none of it on connections that it serves" if others and seen.reads.wait_ns else ""
    )
    evidence = [
        f"{share(waited, seen.asleep_ns)} of its sleep is in {name}",
        f"{duration(seen.reads.wait_ns)} blocked in {plural(seen.reads.calls, 'read')} "
        f"of sockets{of_others}",
    ]
    watched = max((loop.watched or 0 for loop in loops), default=0)
    if watched:
        trigger = {"edge": "edge-triggered", "level": "level-triggered"}.get(
            loops[0].trigger or "", "some of them edge-triggered"
        )
        evidence.append(f"{plural(watched, 'descriptor')} watched, {trigger}")
    if eager > announced:
        evidence.append(f"{eager:,} new connections were read before {name} was asked about them")
    reads_elsewhere = (0 if others else seen.reads.wait_ns) + seen.accepts.wait_ns
    agreement = 1.0 - reads_elsewhere / max(1, reads_elsewhere + waited)
    model = "epoll-et" if edge else family
    # Refused, it may also wait in a poll of that socket alone; or it never was refused.
    refused = seen.reads.eagain > seen.timeouts
    return ThreadStyle(
        model, "loop", family, eager > announced and refused, False, agreement, announced + eager,
        tuple(evidence),
    )  # fmt: skip


def _edge_triggered(seen: Activity) -> bool:
    """What it asked for while it was watched; else what stands in the interest list."""
    if seen.edge_watches or seen.level_watches:
        return seen.edge_watches > seen.level_watches
    return any(loop.trigger == "edge" for loop in seen.multiplexers)


def _acceptor(seen: Activity) -> ThreadStyle:
    family = _main_family(seen)
    returns = sum((loop.iterations or 0) - (loop.empty or 0) for loop in seen.multiplexers)
    waited = sum(loop.wait_ns for loop in seen.multiplexers)
    evidence = (
        f"{share(waited, seen.asleep_ns)} of its sleep is in {seen.multiplexers[0].multiplexer}",
        f"{plural(seen.accepts.ok, 'connection')} accepted, nothing read",
    )
    edge = family == "epoll" and _edge_triggered(seen)
    return ThreadStyle(
        "epoll-et" if edge else family, "acceptor", family, False, False, 1.0, returns, evidence
    )


def _single(seen: Activity, around: Surroundings) -> ThreadStyle:
    """No multiplexer tells it what to read: it blocks, or it asks again and again."""
    tried = seen.reads.calls + seen.accepts.calls
    refused = seen.reads.eagain + seen.accepts.eagain
    waited = seen.reads.wait_ns + seen.accepts.wait_ns
    timeouts = seen.timeouts
    sleeps_in_reads = waited >= WAITS_IN_READS * seen.lifetime_ns
    told_by_nobody = refused and around.nonblocking and not around.multiplexed and not timeouts
    if told_by_nobody and _never_blocks(seen):
        return _poller(seen, refused, tried, 1.0)
    if refused > POLLING_REFUSALS * tried and not timeouts and not sleeps_in_reads:
        return _poller(seen, refused, tried, refused / max(1, tried))
    reads = seen.reads if seen.reads.calls or not seen.pipe_reads.calls else seen.pipe_reads
    samples = reads.ok + seen.accepts.ok + (refused if sleeps_in_reads else 0)
    if not samples and not waited:
        return ThreadStyle()
    timed = timeouts > 0 and timeouts >= (reads.ok + seen.accepts.ok) / 2
    waited_for_one = sum(loop.wait_ns for loop in seen.loops) if timed else 0
    evidence = [
        f"{duration(reads.wait_ns)} asleep in {plural(reads.calls, 'read')}, "
        f"{duration(seen.accepts.wait_ns)} in accept",
    ]
    if timed:
        evidence.append(
            f"{plural(timeouts, 'poll')} of one descriptor before them, "
            f"{duration(waited_for_one)} asleep: sockets with a timeout, no multiplexing"
        )
    role = "reader" if reads.calls or reads.wait_ns else "acceptor"
    # A listener is emptied until it refuses, whatever the connections do.
    agreement = 1.0 if timed or sleeps_in_reads else 1 - reads.eagain / max(1, reads.calls)
    return ThreadStyle("blocking", role, "", False, timed, agreement, samples, tuple(evidence))


def _poller(seen: Activity, refused: int, tried: int, agreement: float) -> ThreadStyle:
    evidence = [
        f"{share(refused, tried)} of {plural(tried, 'read')} and accepts found nothing (EAGAIN)",
        f"{duration(seen.reads.wait_ns)} blocked in them",
    ]
    if seen.sleeps.calls:
        evidence.append(
            f"{plural(seen.sleeps.calls, 'sleep')} in between, {duration(seen.sleeps.wait_ns)}"
        )
    return ThreadStyle("nonblocking", "poller", "", False, False, agreement, tried, tuple(evidence))
