# SPDX-License-Identifier: Apache-2.0
"""Requests whose answers have come, and whose reader waits for more until its time-out is over."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from iotrace.report.model import Descriptor, Loop
from iotrace.report.stacks import Line
from iotrace.verdict.accepted import is_accepted
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.thread_activity import waits_for_one
from iotrace.vocabulary.calls import READS, WRITES
from iotrace.vocabulary.kinds import PIPE, STREAMS, Kind, kind_of_calls

LEAST_PER_SECOND = 3
"""Time-outs: rarer ones are those of a program that looks around now and then."""
MOST_NS = 1_000_000_000
"""A wait, on average: who waits longer for an answer has a limit for what does not come."""
EACH = 0.8
"""Time-outs for each write, and reads with data for each time-out: something is sent, something
comes, and then nothing more. A loop that either gets a message or times out has half of both."""
WAITED_SHARE = 0.3
"""Of the time traced, or of what requests take, in waits of which most time out."""
_KINDS = (*STREAMS, Kind.UDP.label, Kind.TTY.label, PIPE)
_READS = "read", "recv", "receive"
"""How functions are named that return what has come, or nothing once the time-out is over."""


def _timed(profile: ProcessProfile) -> Iterator[Hit]:
    for tid, seen in profile.threads.items():
        for loop in seen.loops:
            over, waited = loop.timeouts or 0, loop.wait_ns
            whole = whole_of(waited, profile)
            if (
                profile.per_second(over) < LEAST_PER_SECOND
                or waited >= MOST_NS * over
                or waited < WAITED_SHARE * whole.ns
            ):
                continue
            lines = _lines(profile, tid, loop)
            waited_for = _waited_for(profile, lines)
            kinds = {kind_of_calls(one.kind) for one in waited_for}
            for kind in _KINDS if lines else ():
                if kinds and kind not in kinds:
                    continue
                written, read = (_count(profile, tid, kind, names) for names in (WRITES, READS))
                if EACH * written <= over <= written / EACH and read >= EACH * over:
                    felt = bool(seen.requests) and not _of_clients(profile, kind, waited_for)
                    yield _hit(profile, tid, kind, lines, loop, written, felt)


def _lines(profile: ProcessProfile, tid: int, loop: Loop) -> Sequence[Line]:
    """Where it waits so: for one descriptor, or in a function that reads."""
    return [
        one
        for one in profile.process.lines
        if one.tid == tid
        and one.syscall == loop.multiplexer
        and (waits_for_one(loop) or _reads(one))
    ]


def _waited_for(profile: ProcessProfile, lines: Sequence[Line]) -> list[Descriptor]:
    """What these lines wait for; []: select does not tell."""
    numbers = {one.fd for one in lines} - {None}
    return [one for one in profile.process.descriptors if one.fd in numbers]


def _of_clients(profile: ProcessProfile, kind: str, waited_for: Sequence[Descriptor]) -> bool:
    """Whether it may wait for a client's next message: no request waits for that."""
    rows = waited_for or [
        one for one in profile.process.descriptors if kind_of_calls(one.kind) == kind
    ]
    return any(is_accepted(one, profile) for one in rows)


def _reads(line: Line) -> bool:
    """Whether a library's function that reads is at work: no event loop, whose waits are for
    whatever comes first."""
    return any(
        short_name(frame).rpartition(".")[2].startswith(_READS)
        for frame in library_frames(line.stack)
    )


def _count(profile: ProcessProfile, tid: int, kind: str, names: Collection[str]) -> int:
    """Calls of these that moved data."""
    rows = [
        one
        for one in profile.calls.get(tid, ())
        if one.syscall in names and one.kind == kind and one.bytes
    ]
    return sum((one.calls or 0) - sum((one.errors or {}).values()) for one in rows)


def _asked(profile: ProcessProfile, kind: str, requests: int) -> Descriptor | None:
    """What it writes to and reads from, where only one descriptor has as many calls."""
    rows = [
        one
        for one in profile.process.descriptors
        if kind_of_calls(one.kind) == kind
        and one.bytes_in
        and one.bytes_out
        and (one.calls or 0) >= requests
    ]
    return rows[0] if len(rows) == 1 else None


def _hit(
    profile: ProcessProfile,
    tid: int,
    kind: str,
    lines: Sequence[Line],
    loop: Loop,
    written: int,
    felt: bool,
) -> Hit:
    """``felt``: requests may wait for it."""
    row = _asked(profile, kind, written)
    over, waited = loop.timeouts or 1, loop.wait_ns
    whole = whole_of(waited, profile)
    felt = felt and bool(whole.requests)
    who = (row.peer or row.local) if row is not None else ""
    evidence: dict[str, float | int | str] = {
        **({"peer": who} if who else {}),
        "requests": written,
        "timeouts": over,
        "mean_wait_ns": waited // over,
        "waited_ns": waited,
    }
    if row is not None:
        evidence["bytes_per_answer"] = round((row.bytes_in or 0) / max(1, written), 1)
    return Hit(
        evidence,
        min(waited, profile.wall_ns),
        tid,
        row.fd if row is not None else None,
        severity=None if felt else "low",
        lines=waiting_lines(lines, profile.process),
        title=f"Each read of an answer from {who or f'a {kind}'} waits until its time-out is over, "
        f"though the answer has come, {duration(waited // over)} each time, "
        f"{share(waited, whole.ns)} of {whole.name}: it asks for more than comes"
        f"{'' if felt else ', or the time-out is its clock'}",
        whole=whole,
    )


TIMED = Rule(
    "IO222",
    "Reads of answers end by their time-out",
    "Ask for as many bytes as the answer has: read its header first, which says how long it is, or "
    "up to what ends it (pyserial: read_until()); or take what is there (pyserial: "
    "read(line.in_waiting or 1); a socket's recv() returns as soon as something has come). A "
    "shorter time-out only makes the wait shorter, and cuts off answers that are late.",
    _timed,
)
