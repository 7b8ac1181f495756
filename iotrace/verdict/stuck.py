# SPDX-License-Identifier: Apache-2.0
"""Threads that were in one call for so long at the end that nothing normal takes as long."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from iotrace.report.stacks import Frame, InCall
from iotrace.verdict.call_texts import call_text
from iotrace.verdict.frames import (
    imports,
    in_library,
    is_import,
    library_frames,
    named,
    since_fork,
)
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.verdict.purpose import (
    Purpose,
    purpose_of,
    serves,
)
from iotrace.verdict.sliced_waits import slices_of
from iotrace.verdict.told_lines import ToldLine, ToldWait, frame_text, wait_at
from iotrace.verdict.unnamed_selects import with_peer
from iotrace.vocabulary.calls import MULTIPLEXERS, READS
from iotrace.vocabulary.kinds import PIPES_AND_TERMINALS, SOCKETS

LEAST_NS = 2_000_000_000
MOST_NS = 10_000_000_000
LONG_SHARE = 0.5
"""In one call for this share of the time traced, within these limits: it hangs."""
WHOLE_SHARE = 0.98
ALIKE = 0.9
"""Times that differ by less are told as one: the longest."""
MOSTLY_SHARE = 0.8
"""Of what a thread has waited in slow calls, in one of them: there it is nearly always."""
_MADE_AGAIN = ("ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", "ERESTART_RESTARTBLOCK")
_READS_FILE = "SocketIO.readinto"
_FILE_FRAMES = 3
"""Innermost, among which it is: with TLS, SSLSocket.recv_into and read are further in."""
_STANDARD = {0: "stdin", 1: "stdout", 2: "stderr"}


@dataclass(frozen=True, slots=True)
class Stuck:
    """A thread in a call. ``held_ns``: how long, as far as it was seen. ``polls``: so often it was
    made, and timed out each time: one wait that a library cuts into slices; 0: it is one call."""

    tid: int
    call: InCall
    purpose: Purpose
    held_ns: int
    polls: int = 0

    @property
    def place(self) -> Frame | None:
        """The program's own innermost frame."""
        return next(iter(self.call.own_stack), None)

    @property
    def own(self) -> bool:
        """The program's own code makes the call, not a library's background thread."""
        return len(library_frames(self.call.stack)) < len(since_fork(self.call.stack))

    @property
    def serves(self) -> bool:
        """A server or a task queue waits for it to return."""
        return serves(self.call.stack)


def in_calls(profile: ProcessProfile) -> tuple[Stuck, ...]:
    """The threads that were in a call at the end, the longest first."""
    found = [
        _in_slices(row.tid, row.in_call, profile) or _in_one(row.tid, row.in_call, profile)
        for row in profile.process.threads
        if row.in_call is not None
    ]
    return tuple(sorted(found, key=lambda one: (-one.held_ns, one.tid)))


def _in_one(tid: int, call: InCall, profile: ProcessProfile) -> Stuck:
    named = with_peer(call, profile.process.sockets, LEAST_NS)
    return Stuck(tid, named, purpose_of(named), _held_ns(tid, call, profile))


def _in_slices(tid: int, call: InCall, profile: ProcessProfile) -> Stuck | None:
    """The whole of a wait that a library cuts into slices."""
    found = slices_of(tid, call, profile)
    if found is None:
        return None
    whole = found.all_along and found.held_ns >= WHOLE_SHARE * profile.wall_ns
    one = replace(call, since_ns=0 if whole else call.since_ns, wait_ns=found.held_ns)
    return Stuck(tid, one, purpose_of(one), found.held_ns, found.polls)


def _held_ns(tid: int, call: InCall, profile: ProcessProfile) -> int:
    """How long it has been asleep in it. A signal without a handler (of a child that has ended)
    interrupts a call, and the kernel makes it again: that is the same call."""
    rows = [
        row
        for row in profile.calls.get(tid, ())
        if (row.syscall, row.kind) == (call.syscall, call.kind)
    ]
    made = sum(row.calls or 0 for row in rows)
    again = sum((row.errors or {}).get(name, 0) for row in rows for name in _MADE_AGAIN)
    return sum(row.wait_ns for row in rows) if made and again >= made else call.wait_ns


def is_only_thread(one: Stuck, profile: ProcessProfile) -> bool:
    """Whether no other thread of its process is alive."""
    return [row.tid for row in profile.process.threads if row.tid and row.ended_ns is None] == [
        one.tid
    ]


def whereabouts(profile: ProcessProfile) -> tuple[Stuck, ...]:
    """As ``in_calls``; a thread that was in no call then, or in one that had only begun, so that no
    stack was kept, is where it has slept for most of its time."""
    at_the_end = {one.tid: one for one in in_calls(profile)}
    found = []
    for row in profile.process.threads:
        one = at_the_end.get(row.tid)
        if one is None or not one.call.stack:
            one = _usual(row.tid, one, profile) or one
        if one is not None:
            found.append(one)
    return tuple(found)


def _usual(tid: int, now: Stuck | None, profile: ProcessProfile) -> Stuck | None:
    calls = [call for call in profile.calls.get(tid, ()) if call.wait_ns]
    longest = max(calls, key=lambda call: call.wait_ns, default=None)
    if longest is None or longest.wait_ns < MOSTLY_SHARE * sum(call.wait_ns for call in calls):
        return None
    kind = longest.syscall, longest.kind
    if now is not None and (now.call.syscall, now.call.kind) != kind:
        return None
    lines = [one for one in profile.process.lines if one.stack and (one.syscall, one.kind) == kind]
    # A line is of all threads with its stack, and names one of them.
    lines = [one for one in lines if one.tid == tid] or lines
    most = max(lines, key=lambda line: line.wait_ns, default=None)
    if most is None or most.wait_ns < MOSTLY_SHARE * sum(line.wait_ns for line in lines):
        return None
    call = InCall(most.syscall, most.kind, most.fd, "", 0, 0, own=most.own, stack=most.stack)
    if now is not None:
        call = replace(now.call, own=most.own, stack=most.stack)
    return Stuck(tid, call, purpose_of(call), now.held_ns if now else 0)


def stuck_threads(profile: ProcessProfile) -> tuple[Stuck, ...]:
    """Those of them that have been in it for long."""
    least_ns = long_ns(profile)
    return tuple(one for one in in_calls(profile) if one.held_ns >= least_ns)


def long_ns(profile: ProcessProfile) -> int:
    """From when on a call hangs."""
    return max(LEAST_NS, min(MOST_NS, int(LONG_SHARE * profile.wall_ns)))


def taking_functions(stack: Sequence[Frame]) -> frozenset[tuple[str, str]]:
    """The functions that may take the lock which this stack waits for: the program's own innermost,
    and those of libraries that it calls; not those in which every thread begins."""
    taking = stack[: len(library_frames(stack)) + 1]
    return frozenset(
        (frame.file, frame.function) for frame in taking if not _BEGINS.search(named(frame))
    )


_BEGINS = re.compile(r"/threading\.py:(?:run|_bootstrap|_bootstrap_inner)$")


def may_hold(holder: Sequence[Frame], waiting: Sequence[Frame]) -> bool:
    """Whether a stack is that of a thread which may have the lock that the other waits for: it is
    in a function that takes the lock; where modules are waited for, in an import."""
    if imports(waiting):
        return any(map(is_import, holder))
    takers = taking_functions(waiting)
    return any((frame.file, frame.function) in takers for frame in holder)


def takes_again(waiting: Sequence[Frame]) -> Frame | None:
    """The program's own frame by whose way a thread has come to a function that takes the lock for
    the second time, while it is in that same function further out, past the line that takes it:
    then it most likely has the lock itself. ``__del__``, a signal handler, a callback."""
    for place, taker in enumerate(waiting[: len(library_frames(waiting)) + 1]):
        for outer, frame in enumerate(waiting[place + 1 :], place + 1):
            same = (frame.file, frame.function) == (taker.file, taker.function)
            if is_import(frame):  # a module that imports another one: each has its own lock
                break
            if same and (frame.line or 0) > (taker.line or 0):
                own = [one for one in waiting[place:outer] if not in_library(one)]
                return own[0] if own else None
    return None


def held_text(one: Stuck, profile: ProcessProfile) -> str:
    """ "for the whole trace", "for 4.2 s"."""
    if one.held_ns >= WHOLE_SHARE * profile.wall_ns:
        return "for the whole trace"
    return f"for {duration(one.held_ns)}"


def began_text(one: Stuck) -> str:
    """When its call began."""
    return "while it was traced" if one.call.since_ns else "before the trace"


def group_held_text(group: Sequence[Stuck], profile: ProcessProfile) -> str:
    """As ``held_text``, of several: "for 2.14 s to 6.03 s (7 of them for the whole trace)"."""
    least = min(group, key=lambda one: one.held_ns)
    most = max(group, key=lambda one: one.held_ns)
    if least.held_ns >= ALIKE * most.held_ns:
        return held_text(most, profile)
    whole = sum(one.held_ns >= WHOLE_SHARE * profile.wall_ns for one in group)
    of_them = f" ({whole} of them for the whole trace)" if whole else ""
    return f"for {_range(one.held_ns for one in group)}{of_them}"


def _range(held_ns: Iterable[int]) -> str:
    held_ns = sorted(held_ns)
    least, most = held_ns[0], held_ns[-1]
    return duration(most) if least >= ALIKE * most else f"{duration(least)} to {duration(most)}"


def target_text(call: InCall) -> str:
    """ "10.0.0.7:443", "a pipe (stderr, descriptor 2)", a path; "" where it is not known."""
    if call.kind in PIPES_AND_TERMINALS and call.fd is not None:
        name = _STANDARD.get(call.fd)
        return f"a {call.kind} ({f'{name}, ' if name else ''}descriptor {call.fd})"
    if call.peer.startswith("socket:["):  # it was closed before anybody looked
        return f"a {call.kind} socket (descriptor {call.fd})"
    if call.peer:
        return call.peer
    if call.fd is None:
        return ""
    of = f"a {call.kind} socket" if call.kind in SOCKETS else ""
    return f"{of} (descriptor {call.fd})" if of else f"descriptor {call.fd}"


def from_client(call: InCall, profile: ProcessProfile) -> bool:
    """Whether it reads what a client sends, on a connection that this program has accepted. Python
    polls a socket that has a timeout first: there the file of a socket tells a read from a send."""
    ports = profile.listening_ports() | profile.served_ports
    reads = call.syscall in READS or (
        call.syscall in MULTIPLEXERS
        and any(frame.function == _READS_FILE for frame in call.stack[:_FILE_FRAMES])
    )
    return reads and any(
        row.kind == call.kind and port_of(row.local) in ports
        for row in profile.process.descriptors
        if row.fd == call.fd and row.local
    )


def place_text(one: Stuck) -> str:
    """ "app.py:8 handle", "" where no stack is known."""
    return "" if one.place is None else frame_text(one.place)


def stuck_lines(group: Iterable[Stuck]) -> tuple[ToldLine, ...]:
    """The places where they are, most threads first."""
    sums: dict[str, list[int]] = {}
    waits: dict[str, ToldWait] = {}
    sliced = set[str]()
    for one in group:
        if one.place:
            named = f"{place_text(one)} -> {call_text(one.call.syscall, target_text(one.call))}"
            named += f" ({one.call.lock})" if one.call.lock else ""
            sums.setdefault(named, []).append(one.held_ns)
            waits[named] = wait_at(one.place, one.call.syscall)
            if one.polls:
                sliced.add(named)
    ranked = sorted(sums.items(), key=lambda item: (-len(item[1]), -max(item[1])))
    return tuple(
        ToldLine(
            f"{named}: {'1 thread' if len(held) == 1 else f'{len(held)} threads'}, "
            f"{'there' if named in sliced else 'not returned'} for {_range(held)}",
            waits[named],
        )
        for named, held in ranked[:3]
    )


def total_ns(group: Sequence[Stuck]) -> int:
    """The time that they have waited together."""
    return sum(one.held_ns for one in group)
