# SPDX-License-Identifier: Apache-2.0
"""Reads at the end of a stream, again and again, by a program that takes no notice of the end."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.model import Descriptor
from iotrace.verdict.cpu_samples import busy_lines
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


def _at_end(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        for kind in _KINDS:
            empty = _empty_reads(profile, tid, kind)
            cost = seen.cpu_ns * empty // max(1, empty, seen.syscalls)
            opened = _opened(profile, kind)
            if (
                profile.per_second(empty) >= LEAST_PER_SECOND
                and cost >= CPU_SHARE * profile.wall_ns
                and empty >= PER_STREAM * opened > 0
            ):
                yield _hit(profile, tid, kind, empty, cost)


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


def _hit(profile: ProcessProfile, tid: int, kind: str, empty: int, cost: int) -> Hit:
    row = _stream(profile, kind, empty)
    rate = profile.per_second(empty)
    evidence: dict[str, float | int | str] = {
        "reads_at_end": empty,
        "per_second": round(rate),
        "cpu_ns": cost,
    }
    of = f"a {kind}"
    end = "the peer has closed it" if kind in STREAMS else "nobody has it open for writing"
    if row is not None and row.peer:
        evidence["peer"] = row.peer
        of = f"the connection with {row.peer}"
    return Hit(
        evidence,
        cost,
        tid,
        row.fd if row is not None else None,
        lines=busy_lines(profile.process, tid),
        title=f"A thread spins at the end of {of}: {rate:,.0f} reads a second return 0 bytes at "
        f"once; {end}, and the program takes no notice",
    )


def _stream(profile: ProcessProfile, kind: str, empty: int) -> Descriptor | None:
    """The descriptor that most of these reads were of."""
    rows = _rows(profile, kind)
    most = max(rows, key=lambda one: (one.calls or 0) - (one.bytes_in or 0), default=None)
    if most is None or (most.calls or 0) - (most.bytes_in or 0) < MOST_SHARE * empty:
        return None
    return most


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
