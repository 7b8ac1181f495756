# SPDX-License-Identifier: Apache-2.0
"""Threads that look again and again for what does not come: a hang in many short calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from iotrace.report.detail import Detail
from iotrace.report.rows import Call
from iotrace.report.stacks import Frame, Line
from iotrace.verdict.frames import library_frames, short_name
from iotrace.verdict.handovers import STANDS_STILL, in_loop
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose, takes_shared_lock
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.awaited_results import WAITS_FOR_TURN, jobs_await_jobs
from iotrace.verdict.rules.lock_files import STALE_FILE, found_there, lock_file
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always, covers
from iotrace.verdict.stuck import LEAST_NS, Stuck, place_text, whereabouts
from iotrace.vocabulary.calls import ACCEPTS, CONNECTS, FAMILIES, LOCKS, READS, SLEEPS, WRITES
from iotrace.vocabulary.kinds import GIL_KINDS, NO_FDS, PIPE, Kind

NEARLY_ALL_SHARE = 0.9
"""Of its time, that a thread waits in one function of the program's own: it is there all along."""
LEAST_LOOKS = 3
EVERY_LOOK_SHARE = 0.8
"""Calls that move data or wake others are made at each look: rarer ones say that jobs end and
others begin."""
MOST_TAKEN = 3
"""Requests or connections taken by a thread that then looks for one thing all along: one, and two
exchanges of a TLS handshake."""
MOST_ASKED = 5
"""Writes to sockets at each look: who sends more does other work between two sleeps."""
FEW_LOCKS_SHARE = 0.1
"""Of the looks: calls for locks that the interpreter itself makes now and then."""
WORKS_NS = 300_000
"""Computed at each look, without a call: to look at a flag or a queue takes microseconds, and who
computes for longer between its sleeps works at something, and sleeps as part of it."""
_RESULTS = frozenset(
    ("get", "result", "get_result", "join", "wait", "wait_for", "fetch", "join_native", "results")
)
"""Functions of libraries that give the result of something that was started."""
_BETWEEN = READS | WRITES | LOCKS | frozenset(ACCEPTS) | frozenset(CONNECTS)
_ELSEWHERE = (Purpose.POOL, Purpose.LOCK, Purpose.CHILD, Purpose.ROOM)
"""What is waited for there has rules of its own."""


def _stuck(profile: ProcessProfile) -> Iterator[Hit]:
    yield from _polled(profile)
    yield from jobs_await_jobs(profile)


def _polled(profile: ProcessProfile) -> Iterator[Hit]:
    groups: dict[tuple[str, str], list[Stuck]] = {}
    for one in whereabouts(profile):
        place = one.place
        if place is not None and one.own and _may_poll(one, profile):
            groups.setdefault((place.file, place.function), []).append(one)
    for group in groups.values():
        looks = [_looks_of(one, profile) for one in group]
        if all(map(_is_all_along, looks)) and _is_only_there(group, profile):
            yield _hit(group, looks, profile)


def _may_poll(one: Stuck, profile: ProcessProfile) -> bool:
    """In a short call that waits, made for a job of a server or task queue, or by a library's
    function that gives a result."""
    if one.call.syscall not in SLEEPS | LOCKS | frozenset(FAMILIES) or one.purpose in _ELSEWHERE:
        return False
    if not one.serves and _asked(one) is None:
        return False
    sockets = profile.process.sockets
    if one.call.syscall in SLEEPS and sockets and sockets.pending and _asked(one) is None:
        return False  # it keeps others from being accepted: IO146
    # Who streams to a client writes and is not answered: it sleeps in between, as it should.
    seen = profile.threads[one.tid]
    return seen.writes.ok <= seen.reads.ok


def _asked(one: Stuck) -> Frame | None:
    """The library's function that the program's own code called for a result, or for a lock."""
    library = library_frames(one.call.stack)
    outer = library[-1] if library else None
    if outer is None or outer.file.endswith("/threading.py"):
        return None
    gives = short_name(outer) in _RESULTS or outer.file.endswith("/asgiref/sync.py")
    return outer if gives or takes_shared_lock(outer) else None


def _lines_at(group: Sequence[Stuck], profile: ProcessProfile) -> list[Line]:
    place = group[0].place
    return [
        line
        for line in profile.process.lines
        if place is not None
        and line.own_stack
        and (line.own_stack[0].file, line.own_stack[0].function) == (place.file, place.function)
    ]


def _is_only_there(group: Sequence[Stuck], profile: ProcessProfile) -> bool:
    """Of what is known of these threads' slow calls by line, hardly any was made elsewhere."""
    tids = {one.tid for one in group}
    there = _lines_at(group, profile)
    elsewhere = [line for line in profile.process.lines if line.tid in tids and line not in there]
    waited = sum(line.wait_ns for line in there)
    return sum(line.wait_ns for line in elsewhere) <= (1 - NEARLY_ALL_SHARE) * waited


@dataclass(frozen=True, slots=True)
class _Looks:
    """What one thread did: calls like the one it is in at the end. ``in_vain``: they ended because
    time was up. ``goes_on``: other calls now and then tell that it ends jobs and begins others."""

    count: int
    in_vain: int
    waited_ns: int
    lifetime_ns: int
    goes_on: bool


def _looks_of(one: Stuck, profile: ProcessProfile) -> _Looks:
    name, seen = one.call.syscall, profile.threads[one.tid]
    rows = [row for row in profile.calls.get(one.tid, ()) if row.syscall == name]
    count = sum(row.calls or 0 for row in rows)
    if name in FAMILIES and one.call.kind != NO_FDS:
        in_vain = sum(loop.timeouts or 0 for loop in seen.loops if loop.multiplexer == name)
    elif name in LOCKS:
        in_vain = sum((row.errors or {}).get("ETIMEDOUT", 0) for row in rows)
    else:
        in_vain = count
    waited = sum(row.wait_ns for row in rows) + seen.runq_ns
    return _Looks(count, in_vain, waited, seen.lifetime_ns, _goes_on(one, profile))


def _is_all_along(one: _Looks) -> bool:
    return (
        one.lifetime_ns >= LEAST_NS
        and one.waited_ns >= NEARLY_ALL_SHARE * one.lifetime_ns
        and one.count >= LEAST_LOOKS
        and one.in_vain >= NEARLY_ALL_SHARE * one.count
        and not one.goes_on
    )


def _goes_on(one: Stuck, profile: ProcessProfile) -> bool:
    """Whether the thread has not had the same thing in hand all along: it takes one request after
    the other, or moves more data than looks do, or does something else now and then, to end a job
    and take another. For that it wakes others, and waits for them, with locks."""
    rows = [row for row in profile.calls.get(one.tid, ()) if row.calls]
    looks = max((row.calls or 0 for row in rows if row.syscall == one.call.syscall), default=0)
    seen = profile.threads[one.tid]
    taken = max(seen.requests, seen.accepts.ok, _datagrams(profile, rows))
    if taken > MOST_TAKEN or LEAST_LOOKS * taken > looks or seen.writes.ok > MOST_ASKED * looks:
        return True
    if _jobs_by_pipe(rows) >= EVERY_LOOK_SHARE * looks:
        return True
    between = [row for row in rows if row.syscall in _BETWEEN and row.kind not in GIL_KINDS]
    others = [row for row in between if row.syscall != one.call.syscall]
    locks = sum(row.calls or 0 for row in others if row.syscall in LOCKS)
    if locks > 1 + FEW_LOCKS_SHARE * looks:
        return True
    rest = [row for row in between if row.syscall not in LOCKS]
    if not rest and _asked(one) is None and seen.user_ns > WORKS_NS * looks:
        return True
    return any((row.calls or 0) < EVERY_LOOK_SHARE * looks for row in rest)


def _jobs_by_pipe(calls: Sequence[Call]) -> int:
    """At most so many jobs came through pipes, and were answered there (celery's and other pools of
    processes): what sleeps within each is part of it. Results are looked for elsewhere."""
    pipes = [one for one in calls if one.kind == PIPE and one.bytes]
    read, written = (
        sum(
            (one.calls or 0) - sum((one.errors or {}).values())
            for one in pipes
            if one.syscall in of
        )
        for of in (READS, WRITES)
    )
    return min(read, written)


def _datagrams(profile: ProcessProfile, calls: Sequence[Call]) -> int:
    """Those that it has read where anybody may send: each is something else to do."""
    udp = Kind.UDP.label
    open_to_all = any(
        one.kind == udp and one.local and not one.peer for one in profile.process.descriptors
    )
    reads = [one for one in calls if one.syscall in READS and one.kind == udp]
    number = sum((one.calls or 0) - sum((one.errors or {}).values()) for one in reads)
    return number if open_to_all else 0


def _hit(group: Sequence[Stuck], made: Sequence[_Looks], profile: ProcessProfile) -> Hit:
    looks = sum(one.count for one in made)
    waited = sum(one.waited_ns for one in made)
    asked = _asked(group[0])
    alone = len(group) == 1
    who = f"Thread {group[0].tid} has" if alone else f"{len(group)} threads have"
    locked = asked is not None and takes_shared_lock(asked)
    kind = "a lock" if locked else "a result"
    what = f"{kind} ({asked.function} of {asked.place})" if asked else "something"
    evidence: dict[str, float | int | str] = {
        "threads": len(group),
        "looks": looks,
        "waited_ns": waited,
        "mean_pause_ns": waited // max(1, looks),
    }
    peers = {one.peer for one in profile.process.upstreams if one.calls >= EVERY_LOOK_SHARE * looks}
    if len(peers) == 1:
        evidence["peer"] = peers.pop()
    tids = {one.tid for one in group}
    there = sum(found_there(profile.calls.get(tid, ())) for tid in tids)
    if there >= EVERY_LOOK_SHARE * looks:
        path = lock_file(profile, tids)
        evidence |= {"found_there": there, **({"path": path} if path else {})}
        what, locked = f"a lock file{f' ({path})' if path else ''}", True
    return Hit(
        evidence,
        max(one.lifetime_ns for one in made),
        group[0].tid if len(group) == 1 else None,
        severity="high" if (asked and not locked) or len(group) > 1 else "medium",
        lines=waiting_lines(_lines_at(group, profile), profile.process),
        title=f"{who} been stuck at {place_text(group[0])} for the whole trace: "
        f"{'it looks' if alone else 'they look'} every {duration(waited // max(1, looks))} for "
        + (f"{what} that is not released" if locked else f"{what} that does not come")
        + (f", and {STANDS_STILL}" if all(map(in_loop, group)) else ""),
        advice=STALE_FILE if "found_there" in evidence else _LOCKED if locked else "",
    )


_LOCKED = (
    "Look who has the lock (Redis: GET and TTL of its key; a database: its table of locks): a "
    "process that was killed gives nothing back, and a lock without an expiry is then taken for "
    "ever. Give locks an expiry that is longer than the work and is extended meanwhile (redis-py: "
    "lock(name, timeout=60)), the wait a limit (blocking_timeout), and release in finally. One "
    "that only stands by for another to end is well."
)


def _waits_for_their_result(cause: Hit, symptom: Hit) -> bool:
    """A thread that hangs in a lock or a condition waits for what these threads should give."""
    return symptom.evidence.get("call") in LOCKS


def _has_no_place(cause: Hit, symptom: Hit) -> bool:
    """Who takes jobs queues for a place that none of the jobs gives back."""
    return cause.evidence.get(WAITS_FOR_TURN) == symptom.evidence.get("awaited_in")


POLLED = Rule(
    "IO170",
    "Stuck: looks again and again for what does not come",
    "Find out who is to give it and what that does instead; give up after a while (a timeout). A "
    "task that waits for another task of the same queue or pool takes a worker meanwhile: when all "
    "do, none is left for what they wait for. Chain tasks in place of waiting for their results "
    "(callbacks, chains, chords), or have workers of their own for the inner ones.",
    _stuck,
    explains={
        "IO104": covers, "IO105": always, "IO117": always, "IO119": always,
        "IO140": _waits_for_their_result, "IO142": always,
        "IO160": _has_no_place,
    },
    rank=Rank.STUCK,
    least=Detail.FULL,
)  # fmt: skip
