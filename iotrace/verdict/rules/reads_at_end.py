# SPDX-License-Identifier: Apache-2.0
"""Reads at the end of a stream, again and again, by a program that takes no notice of the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iotrace.report.model import Descriptor
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.frames import in_package, library_frames
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule, always, wastes_its_cpu
from iotrace.vocabulary.calls import READS
from iotrace.vocabulary.kinds import PIPE, STREAMS, kind_of_calls

LEAST_PER_SECOND = 500
CPU_SHARE = 0.05
"""Of one CPU."""
PER_STREAM = 20
"""Reads at the end for each stream that was opened: who takes note of an end makes one or two."""
MOST_SHARE = 0.5
"""Of these reads, those of a descriptor that is named."""
_KINDS = (*STREAMS, PIPE)
"""A terminal's reads may return nothing while it is open (VMIN of 0, termios(3))."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """A thread that reads at an end: so often, for so much CPU time."""

    tid: int
    empty: int
    cost_ns: int


def _at_end(profile: ProcessProfile) -> Iterator[Hit]:
    for kind in _KINDS:
        if readers := _readers(profile, kind):
            yield _hit(profile, kind, readers)


def _readers(profile: ProcessProfile, kind: str) -> list[_Reader]:
    """The one that reads most first."""
    opened = _opened(profile, kind)
    found = []
    for tid, seen in profile.threads.items():
        empty = _empty_reads(profile, tid, kind)
        cost = seen.cpu_ns * empty // max(1, empty, seen.syscalls)
        if (
            profile.per_second(empty) >= LEAST_PER_SECOND
            and cost >= CPU_SHARE * profile.wall_ns
            and empty >= PER_STREAM * opened > 0
        ):
            found.append(_Reader(tid, empty, cost))
    return sorted(found, key=lambda one: -one.empty)


def _opened(profile: ProcessProfile, kind: str) -> int:
    """How many such streams it had; 0: not known. Rows may be missing where there were many."""
    opened = sum(max(1, one.opened) for one in _rows(profile, kind))
    made = profile.total.accepts.ok + profile.total.connects.ok if kind in STREAMS else 0
    return max(opened, made) if opened else 0


def _rows(profile: ProcessProfile, kind: str) -> list[Descriptor]:
    return [one for one in profile.process.descriptors if kind_of_calls(one.kind) == kind]


def _empty_reads(profile: ProcessProfile, tid: int, kind: str) -> int:
    """The least that it can be: a read that is no error and has no byte was at the end, and each
    other one has a byte or more."""
    rows = [
        one
        for one in profile.calls.get(tid, ())
        if one.syscall in READS and one.kind == kind and one.calls and one.bytes is not None
    ]
    good = sum((one.calls or 0) - sum((one.errors or {}).values()) for one in rows)
    return max(0, good - sum(one.bytes or 0 for one in rows))


def _hit(profile: ProcessProfile, kind: str, readers: Sequence[_Reader]) -> Hit:
    """``readers``: of one kind; which of them reads which stream is not known."""
    several = len(readers) > 1
    rows = _streams(profile, kind, readers)
    rows = rows if len(rows) == len(readers) else []  # else it is not known which they all are
    tid, empty = readers[0].tid, sum(one.empty for one in readers)
    cost, rate = sum(one.cost_ns for one in readers), profile.per_second(empty)
    evidence: dict[str, float | int | str] = {
        "reads_at_end": empty,
        "per_second": round(rate),
        "cpu_ns": cost,
    }
    if several:
        evidence |= {"threads": len(readers), **({"streams": len(rows)} if rows else {})}
    name = f"{kind} connection" if kind in STREAMS else kind
    of = f"a {kind}" if not several else plural(len(rows), name) if rows else f"{name}s"
    them = "them" if several else "it"
    end = (
        f"the peer has closed {them}" if kind in STREAMS else f"nobody has {them} open for writing"
    )
    peers = {row.peer for row in rows}
    if len(peers) == 1 and "" not in peers:
        peer = peers.pop()
        evidence["peer"] = peer
        of = f"{plural(len(rows), 'connection') if several else 'the connection'} with {peer}"
    elif kind in STREAMS and (likely := _read_alike(profile, tid)):
        evidence["most_likely_peer"] = likely
        end = f"the peer, most likely {likely}, has closed {them}"
    who = f"{len(readers)} threads spin" if several else "A thread spins"
    return Hit(
        evidence,
        cost,
        None if several else tid,
        rows[0].fd if len(rows) == 1 else None,
        lines=busy_lines(profile.process, tid),
        title=f"{who} at the end of {of}: {rate:,.0f} reads a second return 0 bytes at once; "
        f"{end}, and the program takes no notice",
    )


def _streams(profile: ProcessProfile, kind: str, readers: Sequence[_Reader]) -> list[Descriptor]:
    """The descriptors that most of these reads were of, one for each reader at most."""
    rows = sorted(_rows(profile, kind), key=_empty_calls, reverse=True)[: len(readers)]
    least = MOST_SHARE * readers[-1].empty
    return [one for one in rows if _empty_calls(one) >= least]


def _empty_calls(row: Descriptor) -> int:
    return (row.calls or 0) - (row.bytes_in or 0)


def _read_alike(profile: ProcessProfile, tid: int) -> str:
    """The one peer whose other connections the function reads in which the thread spins: of a
    connection that was reset the kernel knows no peer any more. "": that is not known."""
    spins = {
        (frame.file, frame.function)
        for one in profile.process.cpu_samples
        if one.tid == tid and one.stack
        for frame in one.stack[:1]
        if in_package(frame)
    }
    fds = {
        one.fd
        for one in profile.process.lines
        if one.syscall in READS
        and any((frame.file, frame.function) in spins for frame in library_frames(one.stack))
    }
    peers = {one.peer for one in profile.outgoing() if one.fd in fds and one.peer}
    return peers.pop() if len(peers) == 1 else ""


SPINS = Rule(
    "IO214",
    "A thread reads again and again at the end of a stream",
    "b'' (or '') from recv(), read() or readline() is the end of the stream, for good: leave the "
    "loop, close the descriptor and end what depends on it (`for line in pipe:` ends by itself). "
    "An empty line has its b'\\n'. Of a child's pipe look at its returncode and stderr: it may "
    "have failed at its start. Where the line is in an installed package, it is that package's "
    "fault: look for a newer version.",
    _at_end,
    explains={"IO105": always, "IO112": wastes_its_cpu, "IO113": always, "IO133": always},
    cost=Cost.CPU,
)
