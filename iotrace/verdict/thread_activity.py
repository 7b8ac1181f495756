# SPDX-License-Identifier: Apache-2.0
"""What threads did, summed over the report's rows: the figures that verdicts are made from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from iotrace.report.model import Call, Loop, Process, Signal, Thread
from iotrace.verdict.call_sums import NO_CALLS, CallSums, sums_by_category
from iotrace.verdict.purpose import serves
from iotrace.vocabulary.calls import FAMILIES
from iotrace.vocabulary.kinds import NO_FDS
from iotrace.vocabulary.waits import WAIT_REASONS

HANDLING_SHARE = 0.5
SIGNAL_IO = frozenset(("SIGIO", "SIGPOLL"))


@dataclass(frozen=True, slots=True)
class Activity:
    """What some threads did together. ``reads`` and ``writes`` are of sockets.

    ``unsplit_cpu_ns``: on a CPU, where it is not known in which of the three states.
    ``idle_ns``: of ``wait_ns``, by reason, what is known to have been without a request in hand.
    ``requests``: read, as far as that is known. ``in_handlers``: multiplexers that the process
    mostly waits in while it handles a request, as HTTP clients in C do.
    """

    threads: int = 0
    lifetime_ns: int = 0
    user_ns: int = 0
    kernel_ns: int = 0
    copy_ns: int = 0
    unsplit_cpu_ns: int = 0
    runq_ns: int = 0
    wait_ns: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(WAIT_REASONS, 0))
    idle_ns: Mapping[str, int] = field(default_factory=dict)
    voluntary: int = 0
    involuntary: int = 0
    syscalls: int = 0
    requests: int = 0
    reads: CallSums = NO_CALLS
    writes: CallSums = NO_CALLS
    accepts: CallSums = NO_CALLS
    connects: CallSums = NO_CALLS
    pipe_reads: CallSums = NO_CALLS
    sleeps: CallSums = NO_CALLS
    gil: CallSums = NO_CALLS
    edge_watches: int = 0
    level_watches: int = 0
    io_signals: int = 0
    loops: tuple[Loop, ...] = ()
    in_handlers: frozenset[str] = frozenset()

    @property
    def cpu_ns(self) -> int:
        """Time on a CPU."""
        return self.user_ns + self.kernel_ns + self.copy_ns + self.unsplit_cpu_ns

    @property
    def wants_cpu_ns(self) -> int:
        """Time on a CPU, or without one or the GIL: it had something to compute."""
        return self.cpu_ns + self.runq_ns + self.gil.wait_ns

    @property
    def asleep_ns(self) -> int:
        """Time asleep, for any reason."""
        return sum(self.wait_ns.values())

    @property
    def multiplexers(self) -> tuple[Loop, ...]:
        """The loops that watch several descriptors (``waits_for_one`` is a timeout, no loop), and
        that may tell the thread to read: not what it calls while it handles a request."""
        return tuple(
            loop
            for loop in self.loops
            if not waits_for_one(loop)
            and not (self._handles and loop.multiplexer in self.in_handlers)
            and not (_never_told(loop) and (self.reads.ok or self._waits_elsewhere(loop)))
            and not (_began_before(loop) and self._loops_elsewhere(loop))
        )

    @property
    def _handles(self) -> bool:
        """It has read requests, or answers one that it had read before the trace."""
        return bool(self.requests or (self.writes.ok and not self.accepts.calls))

    def _loops_elsewhere(self, loop: Loop) -> bool:
        """It calls another multiplexer again and again."""
        return any(one is not loop and (one.iterations or 0) > 1 for one in self.loops)

    def _waits_elsewhere(self, loop: Loop) -> bool:
        """It has another multiplexer that it waits longer in."""
        return any(one.wait_ns > loop.wait_ns for one in self.loops)

    @property
    def polled_in_handlers_ns(self) -> int:
        """Asleep in multiplexers while it handled a request."""
        mine = set(map(id, self.multiplexers))
        return sum(
            loop.wait_ns for loop in self.loops if not waits_for_one(loop) and id(loop) not in mine
        )

    @property
    def timeouts(self) -> int:
        """Polls of one descriptor: how a socket with a timeout waits."""
        return sum(loop.iterations or 0 for loop in self.loops if waits_for_one(loop))

    @property
    def operations(self) -> int:
        """Finished calls that moved data or accepted, or tried to."""
        return sum(one.calls for one in (self.reads, self.writes, self.accepts, self.pipe_reads))


def family_of(loop: Loop) -> str:
    """The mechanism that its system call is a form of: "select", "poll" or "epoll"."""
    return FAMILIES.get(loop.multiplexer, "epoll")


def _never_told(loop: Loop) -> bool:
    """It waits until its timeouts are over: something else tells its thread what to read."""
    iterations = loop.iterations or 0
    return iterations == loop.empty == loop.timeouts and iterations > 0


def _began_before(loop: Loop) -> bool:
    """A single poll that was under way when the trace began, of nobody knows how many."""
    several = loop.watched is not None or loop.nfds_max
    return family_of(loop) != "epoll" and not several and (loop.iterations or 0) <= 1


def _in_handlers(process: Process) -> frozenset[str]:
    """Multiplexers in which threads wait, for most of the time that is known by line, in code that
    a server has called to handle a request: these are no event loops."""
    waited, handling = Counter[str](), Counter[str]()
    for line in process.lines:
        if line.syscall in FAMILIES and line.fd is None and line.stack:
            waited[line.syscall] += line.wait_ns
            handling[line.syscall] += line.wait_ns if serves(line.stack) else 0
    return frozenset(
        name for name, wait_ns in waited.items() if handling[name] >= HANDLING_SHARE * wait_ns > 0
    )


def waits_for_one(loop: Loop) -> bool:
    """select or poll with one descriptor: a wait for it with a timeout, not multiplexing."""
    return family_of(loop) != "epoll" and (loop.nfds_max == 1 or loop.watched == 1)


def polled_within_iterations(seen: Activity, calls: Iterable[Call]) -> int:
    """Asleep in polls with another call than the loop's own, of one thread that runs a loop: they
    are in the calls, and in no loop."""
    own = {loop.multiplexer for loop in seen.multiplexers}
    return sum(
        one.wait_ns
        for one in calls
        if own and one.syscall in FAMILIES and one.syscall not in own and one.kind != NO_FDS
    )


def polled_alone(seen: Activity) -> int:
    """Asleep in polls of one descriptor."""
    return sum(loop.wait_ns for loop in seen.loops if waits_for_one(loop))


def activity_of(
    threads: Iterable[Thread],
    calls: Iterable[Call],
    loops: Iterable[Loop] = (),
    signals: Iterable[Signal] = (),
) -> Activity:
    """The sum over these rows."""
    threads, sums = tuple(threads), sums_by_category(calls)
    waits, idle = dict.fromkeys(WAIT_REASONS, 0), Counter[str]()
    for thread in threads:
        idle.update(thread.idle_ns or {})
        for reason, wait_ns in thread.states_ns.wait.items():
            waits[reason] += wait_ns
    return Activity(
        threads=sum(thread.count for thread in threads),
        lifetime_ns=sum(thread.lifetime_ns for thread in threads),
        user_ns=sum(thread.states_ns.user or 0 for thread in threads),
        kernel_ns=sum(thread.states_ns.kernel or 0 for thread in threads),
        copy_ns=sum(thread.states_ns.copy or 0 for thread in threads),
        unsplit_cpu_ns=sum(thread.states_ns.cpu or 0 for thread in threads),
        runq_ns=sum(thread.states_ns.runq for thread in threads),
        wait_ns=waits,
        idle_ns=idle,
        voluntary=sum(thread.switches.voluntary for thread in threads),
        involuntary=sum(thread.switches.involuntary for thread in threads),
        syscalls=sum(thread.syscalls or 0 for thread in threads),
        requests=sum(thread.requests or 0 for thread in threads),
        reads=sums["reads"],
        writes=sums["writes"],
        accepts=sums["accepts"],
        connects=sums["connects"],
        pipe_reads=sums["pipe_reads"],
        sleeps=sums["sleeps"],
        gil=sums["gil"],
        edge_watches=sums["edge"].calls,
        level_watches=sums["level"].calls,
        io_signals=sum(one.count for one in signals if one.signal in SIGNAL_IO),
        loops=tuple(loops),
    )


def activity_by_thread(process: Process) -> dict[int, Activity]:
    """The activity of each tid; 0: the ended threads that were added up."""
    threads, calls = defaultdict(list), defaultdict(list)
    loops, signals = defaultdict(list), defaultdict(list)
    for thread in process.threads:
        threads[thread.tid].append(thread)
    for call in process.calls:
        calls[call.tid].append(call)
    for loop in process.loops:
        if not _is_of_one_wait(loop, process):
            loops[loop.tid].append(loop)
    for signal in process.signals:
        signals[signal.tid].append(signal)
    in_handlers = _in_handlers(process)
    return {
        tid: replace(
            activity_of(rows, calls[tid], loops[tid], signals[tid]), in_handlers=in_handlers
        )
        for tid, rows in threads.items()
    }


def _is_of_one_wait(loop: Loop, process: Process) -> bool:
    """An epoll instance that is made for one wait and closed again, as database drivers do: of one
    that runs a loop the descriptors are known at the end."""
    known = process.sockets is not None and process.sockets.count is not None
    return (
        known
        and process.ended_ns is None
        and family_of(loop) == "epoll"
        and loop.watched is None
        and loop.trigger is None
        and loop.ready is not None
        and loop.ready.max <= 1
    )


def process_activity(process: Process) -> Activity:
    """The activity of all threads of a process together."""
    return activity_of(process.threads, process.calls, process.loops, process.signals)
