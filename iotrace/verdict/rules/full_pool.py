# SPDX-License-Identifier: Apache-2.0
"""Pools of threads in which no thread is ever free: work queues for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iotrace.report.model import Thread
from iotrace.verdict.call_texts import call_text, library_text
from iotrace.verdict.client_waits import client_waits
from iotrace.verdict.full_pool_texts import advice_of, awaited_by, title_of, who_text
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.pool_threads import (
    is_idle,
    threads_of_pools,
    wakes_in,
    without_break,
)
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import awaits_result
from iotrace.verdict.queued_look_ups import queued_look_ups
from iotrace.verdict.rules.accept_paused import keeps_from_accepting
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers
from iotrace.verdict.rules.sleep_in_request import RETRIES, sleeps_to_retry
from iotrace.verdict.stuck import Stuck, from_client, long_ns, place_text, target_text
from iotrace.verdict.told_lines import ToldLine, wait_at
from iotrace.verdict.upstreams import is_client
from iotrace.verdict.waiting_tasks import task_lines, tasks_of_threads
from iotrace.verdict.work_sources import fetches, is_of_job, waits_for_work
from iotrace.vocabulary.kinds import INTERPRETER_KINDS, Kind
from iotrace.vocabulary.waits import WAIT_REASONS

IDLE_SHARE = 0.05
"""Of its time, that a thread of a full pool waits for work at most."""
MOST_CPU_SHARE = 0.5
"""Of its time on a CPU, or without one or the GIL: pools that compute are short of these, not of
threads."""
LEAST_LIFETIME_SHARE = 0.5
"""Of the trace: younger threads tell nothing yet."""
LEAST_JOBS = 3
"""Finished by a thread: a task that runs for ever is no queue."""
LEAST_OWED_NS = 1_000_000_000
"""That a request waits for its answer, where threads are kept by others for good."""
MOST_SLEEPS_PER_JOB = 0.2
"""Where the next job is there already, a thread does not sleep before it, however shortly."""
LEAST_SLEEP_NS = 10_000
"""Of a sleep that waits for a job, on average: to be given one takes longer than that."""

RESULTS_SHARE = 0.5
"""Of what the main thread of a batch waits for, results of its pool."""
BROKERS = (
    ":9092",
    ":9093",
    ":5672",
    ":5671",
    ":6650",
    ":4222",
    ":1883",
    ":8883",
    ":61613",
    ":6379",
)
"""Ports of Kafka, AMQP, Pulsar, NATS, MQTT, STOMP, and of Redis, which may be a cache as well."""

_LIKE_THE_GIL = frozenset(INTERPRETER_KINDS) - {Kind.GIL.label}


@dataclass(frozen=True, slots=True)
class _Member:
    """A thread of a pool. ``idle_ns``: it waited for work; ``jobs``: about as many were done;
    ``sleeps``: so often it slept in a lock."""

    thread: Thread
    stuck: Stuck
    idle_ns: int
    jobs: int
    sleeps: int

    @property
    def busy(self) -> bool:
        """It hardly ever waited for work."""
        return self.idle_ns < IDLE_SHARE * self.thread.lifetime_ns

    @property
    def has_queue(self) -> bool:
        """One job followed another at once."""
        return self.jobs >= LEAST_JOBS and self.sleeps <= MOST_SLEEPS_PER_JOB * self.jobs

    @property
    def free(self) -> bool:
        """It hardly ever did anything else."""
        return self.idle_ns >= (1 - IDLE_SHARE) * self.thread.lifetime_ns


def _full(profile: ProcessProfile) -> Iterator[Hit]:
    pools: dict[str, list[_Member]] = {}
    for name, one, row in threads_of_pools(profile):
        pools.setdefault(name, []).append(_member(one, row, profile))
    for name, members in pools.items():
        old = [
            one
            for one in members
            if one.thread.lifetime_ns >= LEAST_LIFETIME_SHARE * profile.wall_ns
        ]
        busy = [one for one in old if one.busy]
        if busy and _has_queue(busy, old, profile):
            yield _hit(name, busy, len(old) > len(busy), profile)


def _member(one: Stuck, row: Thread, profile: ProcessProfile) -> _Member:
    calls = profile.calls.get(one.tid, ())
    in_lock = row.states_ns.wait.get("lock", 0)
    # A job may wait for a lock, too: a wait that is not in the worker's own loop is no idling.
    if one.call.syscall == "futex" and not is_idle(one):
        in_lock -= 0 if one.call.kind in INTERPRETER_KINDS else one.held_ns
    futexes = [call for call in calls if call.syscall == "futex"]
    locks = [call for call in futexes if call.kind not in INTERPRETER_KINDS]
    # On a busy machine the GIL's owner loses its CPU, and all others wait for both. Where the GIL
    # is known such waits are in no lock.
    in_lock -= sum(call.wait_ns for call in futexes if call.kind in _LIKE_THE_GIL)
    sleeps = sum(
        call.waits_ns.count
        for call in locks
        if call.waits_ns and call.wait_ns >= LEAST_SLEEP_NS * call.waits_ns.count
    )
    jobs = max(wakes_in(calls), sum(call.calls or 0 for call in locks) - sleeps)
    return _Member(row, one, max(0, in_lock), jobs, sleeps)


def _has_queue(busy: Sequence[_Member], old: Sequence[_Member], profile: ProcessProfile) -> bool:
    """Whether work waits for the pool: one job follows another at once, requests lie there, or more
    are owed an answer than threads could be at work on."""
    wants_cpu = sum(profile.threads[one.thread.tid].wants_cpu_ns for one in busy)
    if wants_cpu > MOST_CPU_SHARE * sum(one.thread.lifetime_ns for one in busy):
        return False
    if len({place_text(one.stuck) for one in busy} - {""}) == 0:
        return False
    turning = all(one.has_queue for one in busy)
    if len(busy) < len(old):  # free threads are of another pool of the same kind, or it is not full
        idle = [one for one in old if not one.busy]
        return turning and all(
            one.idle_ns >= (1 - IDLE_SHARE) * one.thread.lifetime_ns for one in idle
        )
    sockets = profile.process.sockets
    waiting = (sockets.pending or 0) + (sockets.unread or 0) if sockets else 0
    owed = sum(one.unanswered for one in profile.process.requests)
    lies_there = (waiting > 0 and len(busy) > 1) or owed > len(busy)
    return turning or lies_there or _kept(busy, profile) or _has_no_break(busy, profile)


def _has_no_break(busy: Sequence[_Member], profile: ProcessProfile) -> bool:
    """All serve one request after the other, with other locks between (gRPC's own)."""
    return all(one.stuck.serves for one in busy) and without_break(
        profile,
        [one.thread.lifetime_ns for one in busy],
        jobs=sum(one.jobs for one in busy),
        rested_ns=sum(one.idle_ns for one in busy),
    )


def _kept(busy: Sequence[_Member], profile: ProcessProfile) -> bool:
    """Each serves one request all along, and others get no answer."""
    owed = [one.oldest_unanswered_ns or 0 for one in profile.process.requests]
    taken = [one.latency_ns.max for one in profile.process.requests if one.latency_ns]
    return (
        max([*owed, *taken], default=0) >= LEAST_OWED_NS
        and all(one.stuck.serves for one in busy)
        and all(one.stuck.held_ns >= long_ns(profile) for one in busy)
    )


def _is_batch(busy: Sequence[_Member], profile: ProcessProfile) -> bool:
    """A program that nobody asks has given its own pool more to do than that has threads, waits for
    what comes of it, and the pool gets on with it: so a batch works."""
    if not is_client(profile) or not all(one.has_queue for one in busy):
        return False
    if any(is_of_job(one.stuck.call.stack) for one in busy):
        return False
    if _takes_messages(profile):
        return False
    lines = profile.process.lines
    main = [one for one in lines if one.tid == profile.process.pid]
    for_results = sum(one.wait_ns for one in main if awaits_result(one.stack))
    return not any(map(waits_for_work, lines)) and (
        for_results > RESULTS_SHARE * sum(one.wait_ns for one in main)
    )


def _takes_messages(profile: ProcessProfile) -> bool:
    """Whether its main thread gets what is to be done from a broker, whether it waits for that or
    all is there already: a consumer in C has no frame, but a peer that is nothing else."""
    main = profile.process.pid
    seen = [one.stack for one in profile.process.lines if one.tid == main]
    seen += [one.stack for one in profile.process.cpu_samples if one.tid == main]
    return any(map(fetches, seen)) or any(one.peer.endswith(BROKERS) for one in profile.outgoing())


def _hit(name: str, busy: Sequence[_Member], free: bool, profile: ProcessProfile) -> Hit:
    count = len(busy)
    groups: dict[str, list[_Member]] = {}
    for one in busy:
        groups.setdefault(place_text(one.stuck), []).append(one)
    place, largest = max(groups.items(), key=lambda item: len(item[1]))
    example = min(largest, key=lambda one: one.stuck.call.peer.startswith("socket:[")).stuck
    lifetime = sum(one.thread.lifetime_ns for one in busy)
    idle = sum(one.idle_ns for one in busy)
    waits: dict[str, int] = {}
    for one in busy:
        for reason in WAIT_REASONS:
            waits[reason] = waits.get(reason, 0) + one.thread.states_ns.wait.get(reason, 0)
    reason = max(waits, key=lambda key: waits[key])
    peer = target_text(example.call)
    clients = None
    if from_client(example.call, profile):
        clients = client_waits([one.thread for one in busy])
        idle += 0 if clients.rest else clients.between_ns or 0
    evidence: dict[str, float | int | str] = {
        "pool": name,
        "threads": count,
        "busy_share_ratio": round(1 - idle / max(1, lifetime), 3),
        f"asleep_in_{reason}_ns": waits[reason],
        "threads_at_that_line": len(largest),
    }
    peers = [one.stuck.call.peer for one in largest]
    awaited = None if clients else awaited_by(example, peers, count, profile)
    if awaited or peer:
        evidence["waits_for"] = awaited.peer if awaited else peer
    if clients and clients.between_ns is not None:
        evidence["asleep_between_requests_ns"] = clients.between_ns
    cost = max(one.thread.lifetime_ns - one.idle_ns for one in busy)
    retries = sleeps_to_retry(example.call)
    batch = not retries and not free and _is_batch(busy, profile)
    look_ups = queued_look_ups(name, [one.thread for one in busy], free=free, profile=profile)
    names = look_ups.tasks
    if names:
        evidence["tasks_that_wait_for_look_ups"] = sum(one.wait.tasks for one in names)
    return Hit(
        evidence,
        cost,
        busy[0].thread.tid if count == 1 else None,
        severity="low" if batch else "high",
        lines=(*_lines(groups)[: 2 if names else 3], *task_lines(names), *_askers(busy, profile))[
            :3
        ],
        title=title_of(
            who_text(name, count),
            "is" if count == 1 else "are",
            1 - idle / max(1, lifetime),
            (f" at {place}" if place else "")
            + (", where a library sleeps before it tries again" if retries else ""),
            f" {clients.text(peer)}" if clients and peer else "",
            awaited.text if awaited else "",
        )
        + look_ups.text,
        advice=look_ups.advice
        + (
            RETRIES
            if retries
            else advice_of(count, clients, kept=not peer and _kept(busy, profile))
        ),
    )


def _lines(groups: dict[str, list[_Member]]) -> tuple[ToldLine, ...]:
    ranked = sorted(groups.items(), key=lambda item: -len(item[1]))
    return tuple(_line(place, members) for place, members in ranked[:3] if place)


def _askers(busy: Sequence[_Member], profile: ProcessProfile) -> tuple[ToldLine, ...]:
    """Where asyncio tasks wait for the pool's threads, where these are in library code only."""
    if any(one.stuck.own for one in busy):
        return ()
    return task_lines(tasks_of_threads(profile))[:2]


def _line(place: str, members: list[_Member]) -> ToldLine:
    call = min(members, key=lambda one: one.stuck.call.peer.startswith("socket:[")).stuck.call
    longest = max(one.thread.lifetime_ns for one in members)
    return ToldLine(
        f"{place} -> {call_text(call.syscall, target_text(call))}"
        f"{library_text(call)}: "
        f"{plural(len(members), 'thread')} at the end, not free in {duration(longest)}",
        wait_at(call.own_stack[0], call.syscall) if call.stack else None,
    )


FULL = Rule(
    "IO142",
    "Thread pool full: all of its threads are always busy",
    "Have more threads, or shorter jobs.",
    _full,
    explains={
        "IO105": always,
        "IO117": covers,
        "IO119": always,
        "IO147": always,
        "IO165": always,
        "IO185": always,
        "IO186": keeps_from_accepting,
        "IO187": always,
    },
    rank=Rank.STUCK,
)
