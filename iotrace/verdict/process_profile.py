# SPDX-License-Identifier: Apache-2.0
"""One process as the verdict sees it: its rows summed by thread, and each thread's style."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from iotrace.report.detail import Detail
from iotrace.report.model import Call, Descriptor, Process, TaskWaits
from iotrace.verdict.classify.by_sleeps import style_by_sleeps
from iotrace.verdict.classify.one_at_a_time import waits_outside_python
from iotrace.verdict.classify.thread_model import Surroundings, thread_style
from iotrace.verdict.classify.thread_style import ThreadStyle
from iotrace.verdict.frames import of_loop, since_fork
from iotrace.verdict.reused_descriptors import with_peers_of_blocked_reads
from iotrace.verdict.thread_activity import Activity, activity_by_thread, process_activity
from iotrace.vocabulary.kinds import SOCKETS, STREAMS

CONTENDED_SHARE = 0.2
"""Of the time that threads want a CPU, spent in the run queue."""
TURNS_LOCK_SHARE = 0.8
"""Where one of n threads waits in their multiplexer at a time, n - 1 of them sleep in locks: so
much of that time, from which on they may take turns."""
OWN_CPU_SHARE = 0.5
"""Of the CPUs that a process may run on: where all that was traced took less, others took the rest
of the time that its threads waited for one, unless all of these wanted one at the same moments."""
FIRST_EPHEMERAL_PORT = 32_768
"""Ports from here on are given to clients, unless somebody has changed it (ip(7),
ip_local_port_range)."""
IN_TURN_PICKUP_NS = 25_000_000
"""Data is picked up within this time (p99) where loops that wait for a lock keep nobody waiting."""


@dataclass(frozen=True, slots=True)
class ProcessProfile:
    """``threads``, ``calls`` and ``styles`` by tid; ``children``, ``parent`` and ``siblings``
    (children of the same parent): those that were traced, without relatives of their own.

    ``served_ports``: ":8000" of each address that any process of the report accepts connections on.
    ``cpus`` that it may run on, of the ``machine_cpus``, 0: not known; ``traced_cpu_ns``: on a CPU,
    all that was traced. ``tasks`` of asyncio: None: not known, or of the process that it was forked
    from.
    """

    process: Process
    duration_ns: int
    total: Activity
    threads: Mapping[int, Activity]
    calls: Mapping[int, tuple[Call, ...]]
    styles: Mapping[int, ThreadStyle]
    children: tuple[ProcessProfile, ...] = ()
    detail: Detail = Detail.FULL
    served_ports: frozenset[str] = frozenset()
    cpus: int = 0
    machine_cpus: int = 0
    traced_cpu_ns: int = 0
    parent: ProcessProfile | None = None
    siblings: tuple[ProcessProfile, ...] = ()
    tasks: TaskWaits | None = None

    @property
    def wall_ns(self) -> int:
        """How long it was traced: as long as its first thread, which may have been entered long
        after the trace began, where there are many processes to enter."""
        began, ended = self.process.started_ns, self.process.ended_ns
        length = (self.duration_ns if ended is None else ended) - began
        first = next((one for one in self.process.threads if one.tid == self.process.pid), None)
        if first and first.started_ns == began and ended is None and first.ended_ns is None:
            length = min(length, first.lifetime_ns)
        return max(1, length)

    @property
    def lived_ns(self) -> int:
        """The wall time of all its processes: more than one where ended children were added up. Of
        those it is an estimate, their number times what their threads lived on average."""
        if self.process.pid:
            return self.wall_ns
        return self.process.count * self.total.lifetime_ns // max(1, self.total.threads)

    def per_second(self, count: float) -> float:
        """A count as a rate."""
        return count * 1e9 / self.wall_ns

    def count_of(self, *rows: Call) -> dict[str, int]:
        """How often, as evidence: calls, or sleeps where calls are not seen."""
        if any(call.calls is None for call in rows):
            return {"sleeps": sum(call.sleeps or 0 for call in rows)}
        return {"calls": sum(call.calls or 0 for call in rows)}

    @property
    def contended(self) -> bool:
        """The CPU was taken for much of the time that its threads wanted it: then all it does is
        late, and no reading sooner would help. Where that is grave, IO112 tells."""
        wanted = self.total.cpu_ns + self.total.runq_ns
        return self.total.runq_ns > CONTENDED_SHARE * wanted

    @property
    def leaves_cpus(self) -> bool:
        """All that was traced took little of what the CPUs had to give while this process was
        traced: others took the rest, or its threads all want one at the same moments."""
        return self.traced_cpu_ns < OWN_CPU_SHARE * self.cpus * self.wall_ns

    @property
    def waits_for_others(self) -> bool:
        """What was traced can't have kept the CPUs busy that a thread waited for, even if it took
        all of its CPU time meanwhile."""
        return any(
            self.traced_cpu_ns - one.cpu_ns < OWN_CPU_SHARE * self.cpus * one.runq_ns
            for one in self.threads.values()
            if one.threads == 1
        )

    def is_beside(self, tid: int, reason: str) -> bool:
        """Others read the requests, and none was in service while its thread slept for this
        reason: that this one does so is nobody's loss, though it talks to somebody."""
        return (
            not self.threads[tid].requests
            and any(one.requests for one in self.threads.values())
            and not any(
                tier.service_ns.get(reason) for row in self.process.requests for tier in row.tiers
            )
        )

    def loop_threads(self) -> dict[int, Activity]:
        """The threads that an event loop runs in."""
        return {tid: one for tid, one in self.threads.items() if self.styles[tid].role == "loop"}

    def turn_takers(self) -> frozenset[int]:
        """Threads of which one waits in their multiplexer, the others for their turn in a lock
        (leader and followers). No data is late by it; else they contend for the lock.

        Alike are those that wait with the same call for as many descriptors: of one set. What
        role each has had in a trace, its turns tell.
        """
        late = [
            one.pickup_ns.p50 if self.contended else one.pickup_ns.p99
            for one in self.process.descriptors
            if one.pickup_ns
        ]
        if not late or max(late) >= IN_TURN_PICKUP_NS:
            return frozenset()
        alike: dict[tuple[str, str | None, int | None], set[int]] = defaultdict(set)
        for tid, one in self.threads.items():
            for loop in one.multiplexers:
                alike[loop.multiplexer, loop.trigger, loop.watched].add(tid)
        return frozenset().union(*filter(self._waits_for_turns, alike.values()))

    def _waits_for_turns(self, tids: Collection[int]) -> bool:
        seen = [self.threads[tid] for tid in tids]
        in_locks = sum(one.wait_ns["lock"] for one in seen)
        others = (len(seen) - 1) / len(seen)
        asleep = sum(one.asleep_ns for one in seen)
        return len(seen) > 1 and in_locks > TURNS_LOCK_SHARE * others * asleep

    def listening_ports(self) -> frozenset[str]:
        """ ":8000" of each address that it accepts connections on."""
        return listening_ports(self.process)

    def is_own(self, peer: str) -> bool:
        """Whether a peer that it has called is its own listener, or one of its workers'."""
        if port_of(peer) not in self.listening_ports():
            return False
        sockets = self.process.sockets
        host = peer[: -len(port_of(peer))]
        ends = ((one.local, one.peer) for one in self.process.descriptors if one.peer)
        return peer in (sockets.listening if sockets else ()) or any(
            there == peer and here.startswith(f"{host}:") for here, there in ends
        )

    def outgoing(self) -> tuple[Descriptor, ...]:
        """TCP connections that it has opened itself: their local port is none it listens on.

        One that does not listen may have been handed connections by one that does, and that may
        not be traced: then a port that the kernel gives to clients tells.
        """
        sockets = self.process.sockets
        if sockets is None or sockets.count is None:
            return ()
        listens = bool(sockets.listening)
        ports = self.listening_ports() | self.served_ports
        return tuple(
            one
            for one in self.process.descriptors
            if one.kind == "tcp"
            and one.peer
            and port_of(one.local) not in ports
            and (listens or _is_ephemeral(port_of(one.local)))
        )

    def connections(self) -> tuple[Descriptor, ...]:
        """Sockets that data has moved over; where that is not seen, that were waited for."""
        return tuple(
            one
            for one in self.process.descriptors
            if one.kind in SOCKETS
            and (
                (one.bytes_in or 0) + (one.bytes_out or 0) or (one.bytes_in is None and one.sleeps)
            )
        )


def _surroundings(process: Process, threads: Mapping[int, Activity]) -> Surroundings:
    """What a process tells of its threads."""
    modes = Counter(one.nonblocking for one in _served(process))
    told = modes[False] + modes[True]
    sockets, ports = process.sockets, listening_ports(process)
    accepted = [
        one
        for one in process.descriptors
        if (one.kind == "tcp" and one.peer and port_of(one.local) in ports)
        or (one.kind == "unix" and one.bytes_in and sockets and one.local in sockets.listening)
    ]
    listeners = None if sockets is None or sockets.count is None else len(sockets.listening)
    return Surroundings(
        operations=process.operations,
        nonblocking=modes[True] >= modes[False] if told else None,
        multiplexed=any(one.multiplexers for one in threads.values()),
        listeners=listeners,
        connected=bool(sockets and listeners is not None and (sockets.count or 0) > listeners),
        served=any((one.bytes_in or 0) + (one.bytes_out or 0) for one in accepted),
        served_asleep=any(one.wait_ns or one.polled_ns for one in accepted),
        native_waits=waits_outside_python(process),
    )


def _served(process: Process) -> list[Descriptor]:
    """Connections that it has accepted, as far as that is known: those that it has opened itself
    are in whatever mode a client's library likes, as are its datagrams."""
    streams = [
        one
        for one in process.descriptors
        if one.kind in STREAMS and (one.bytes_in or 0) + (one.bytes_out or 0)
    ]
    ports = listening_ports(process)
    accepted = [one for one in streams if one.kind == "tcp" and port_of(one.local) in ports]
    return accepted or streams


def port_of(address: str) -> str:
    """ ":8000" of "127.0.0.1:8000"."""
    return address[address.rfind(":") :]


def listening_ports(process: Process) -> frozenset[str]:
    """ ":8000" of each address that a process accepts connections on."""
    return frozenset(map(port_of, process.sockets.listening)) if process.sockets else frozenset()


def _is_ephemeral(port: str) -> bool:
    return port[1:].isdigit() and int(port[1:]) >= FIRST_EPHEMERAL_PORT


def profile_of(
    process: Process,
    duration_ns: int,
    children: tuple[ProcessProfile, ...] = (),
    detail: Detail = Detail.FULL,
    served_ports: frozenset[str] = frozenset(),
) -> ProcessProfile:
    """Look at one process."""
    process = with_peers_of_blocked_reads(process)
    threads = activity_by_thread(process)
    around = _surroundings(process, threads)
    if detail is Detail.FULL:
        styles = {tid: thread_style(one, around) for tid, one in threads.items()}
    else:
        styles = {tid: style_by_sleeps(one, around) for tid, one in threads.items()}
    styles = {tid: replace(style, threads=threads[tid].threads) for tid, style in styles.items()}
    calls = defaultdict(list)
    for call in process.calls:
        calls[call.tid].append(call)
    return ProcessProfile(
        process=process,
        duration_ns=duration_ns,
        total=process_activity(process),
        threads=threads,
        calls={tid: tuple(calls.get(tid, ())) for tid in threads},
        styles=styles,
        children=children,
        detail=detail,
        served_ports=served_ports,
        tasks=_own_tasks(process),
    )


def _own_tasks(process: Process) -> TaskWaits | None:
    """Not those that are in its memory from before it was forked: nothing runs them here."""
    stacks = [row.in_call.stack for row in process.threads if row.in_call]
    stacks += [row.stack for row in process.lines]
    forked = [one for one in stacks if len(since_fork(one)) < len(one)]
    if not forked or process.loops or any(any(map(of_loop, since_fork(one))) for one in stacks):
        return process.tasks
    return None
