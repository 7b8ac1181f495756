# SPDX-License-Identifier: Apache-2.0
"""Waits for a lock on a file that another process or thread has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iotrace.report.model import Call, FileLockWait
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.lock_files import (
    ASLEEP_SHARE,
    LEAST_REFUSED,
    LEAST_SLEEP_NS,
    made_again,
)
from iotrace.verdict.rules.rule import SLEEPS, Hit, Rule
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.sqlite_files import BESIDE
from iotrace.vocabulary.calls import FILE_LOCKS
from iotrace.vocabulary.kinds import FILES

LEAST_SHARE = 0.05
"""Of the time traced, of all threads together."""
LEAST_WAIT_NS = 50_000_000
ALL_ALONG_SHARE = 0.95
"""Of the time traced, in one call: nobody let go of the lock."""
REFUSED = ("EAGAIN", "EACCES")
"""What a lock that was not waited for is refused with (fcntl(2), flock(2))."""
LOOKS_PER_SLEEP = 0.8
COUNTER_BYTES = 1024
"""A read, on average: a change counter is 16 bytes, a page 4096, and a new connection reads some of
those first."""


def _waits(profile: ProcessProfile) -> Iterator[Hit]:
    calls = [one for one in profile.process.calls if one.syscall in FILE_LOCKS]
    waiting = [one for one in calls if one.wait_ns]
    waited = sum(one.wait_ns for one in waiting)
    whole = whole_of(waited, profile, NOTICED_NS, ("file",))
    if waited >= max(LEAST_WAIT_NS, LEAST_SHARE * whole.ns):
        yield replace(_asleep(profile, waiting, waited), whole=whole)
    yield from _tried_again(profile, calls)
    yield from made_again(profile)


def _asleep(profile: ProcessProfile, calls: list[Call], waited: int) -> Hit:
    worst = max(calls, key=lambda one: one.wait_ns)
    wait = _held(profile)
    path = (wait.path if wait else "") or _path_of(profile)
    returned = sum(one.calls or 0 for one in calls)
    longest = max((one.latency_ns.max for one in calls if one.latency_ns), default=0)
    tids = {one.tid for one in calls}
    evidence: dict[str, float | int | str] = {
        "call": worst.syscall,
        "waited_ns": waited,
        "calls": returned,
        "longest_ns": max(longest, waited if not returned else 0),
        "threads": len(tids),
    }
    if path:
        evidence["path"] = path
    if wait is not None and wait.holder is not None:
        evidence["had_by"] = _holder(wait)
    stuck = worst.in_flight > 0 and worst.wait_ns >= ALL_ALONG_SHARE * profile.wall_ns
    what = f"{worst.syscall} on {path}" if path else worst.syscall
    lines = [one for one in profile.process.lines if one.syscall in FILE_LOCKS]
    return Hit(
        evidence,
        waited,
        tids.pop() if len(tids) == 1 else None,
        severity="high" if stuck and not returned else None,
        lines=waiting_lines(lines, profile.process),
        title=f"A file lock was waited for all along and never came ({what})"
        if stuck and not returned
        else f"Waits for a file lock that others hold ({what})",
    )


def _holder(wait: FileLockWait) -> str:
    return f"process {wait.holder} {wait.holder_name}".rstrip()


def _path_of(profile: ProcessProfile) -> str:
    """The file that was waited for longest."""
    rows = [one for one in profile.process.descriptors if one.kind in FILES and one.wait_ns]
    return max(rows, key=lambda one: one.wait_ns).local if rows else ""


def _tried_again(profile: ProcessProfile, calls: list[Call]) -> Iterator[Hit]:
    """The lock is refused, the thread sleeps, and tries again: SQLite's busy handler does."""
    refused: dict[int, int] = {}
    by_sqlite: set[int] = set()
    for tid, seen in profile.threads.items():
        count = sum(
            (one.errors or {}).get(name, 0) for one in calls if one.tid == tid for name in REFUSED
        )
        asleep, sleeps = seen.sleeps.wait_ns, seen.sleeps.calls
        if asleep < max(LEAST_SLEEP_NS, ASLEEP_SHARE * seen.lifetime_ns):
            continue
        if count >= LEAST_REFUSED and sleeps <= 2 * count:
            refused[tid] = count
        elif _asks_a_database(profile, tid, sleeps):
            refused[tid] = count
            by_sqlite.add(tid)
    if refused:
        path = _database(profile) if by_sqlite else _refused_path(profile)
        yield _tried(profile, refused, path, calls, itself=by_sqlite == set(refused))


def _tried(
    profile: ProcessProfile,
    refused: dict[int, int],
    path: str,
    calls: list[Call],
    *,
    itself: bool,
) -> Hit:
    """``refused``: how often, by thread. ``itself``: another connection of this process has it."""
    seen = [profile.threads[tid] for tid in refused]
    asleep = sum(one.sleeps.wait_ns for one in seen)
    evidence: dict[str, float | int | str] = {
        **({} if itself else {"refused_locks": sum(refused.values())}),
        "sleeps": sum(one.sleeps.calls for one in seen),
        "asleep_ns": asleep,
        "threads": len(refused),
    }
    if path:
        evidence["path"] = path
    held = _held(profile)
    if held is not None and held.holder is not None:
        evidence["had_by"] = _holder(held)
    sleeps = lines_of_category(profile.process, "sleeps")
    lines = [line for line in sleeps if line.tid in refused]  # of its latest call
    whole = any(one.tid in refused and one.syscall == "flock" for one in calls)
    return Hit(
        evidence,
        asleep,
        next(iter(refused)) if len(refused) == 1 else None,
        lines=waiting_lines(lines, profile.process),
        title=(
            "SQLite waits for another connection of this process, which has the database locked: "
            "its busy handler sleeps and tries again"
            if itself
            else "Waits for a file lock by trying again, with sleeps in between"
        )
        + (f" ({path})" if path else ""),
        advice=_TRIED_OWN if itself else _TRIED_LOCK_FILE if whole else _TRIED_DATABASE,
    )


def _refused_path(profile: ProcessProfile) -> str:
    held = _held(profile)
    rows = [one for one in profile.process.descriptors if one.kind in FILES and one.eagain]
    busiest = max(rows, key=lambda one: one.eagain or 0).local if rows else ""
    return (held.path if held else "") or busiest


_TRIED_LOCK_FILE = (
    "Another process keeps the lock file locked: look at it (had_by, or `lslocks`), end it if "
    "it hangs (deleting the file helps nobody who waits). Give the wait a timeout, and hold "
    "the lock for less."
)
_TRIED_OWN = (
    "Find the transaction that stays open while its thread does something slow (a call of another "
    "service, a sleep, a loop in Python between the first write and the commit): do that before it "
    "begins or after the commit. Let one thread write, and give it its work through a queue; WAL "
    "(PRAGMA journal_mode=WAL) lets readers go on meanwhile, but not a second writer. The sleeps "
    "are SQLite's, not the program's: `timeout=` of sqlite3.connect limits them."
)
_TRIED_DATABASE = (
    "Somebody else keeps the file locked (a database of SQLite: another connection writes; its "
    "busy handler sleeps and tries again). Keep transactions short and commit before slow work, "
    "let one connection write, switch SQLite to WAL (PRAGMA journal_mode=WAL), or use a database "
    "server."
)


def _held(profile: ProcessProfile) -> FileLockWait | None:
    waits = profile.process.file_lock_waits
    return next((one for one in waits if one.path), next(iter(waits), None))


def _asks_a_database(profile: ProcessProfile, tid: int, sleeps: int) -> bool:
    """After each sleep it looks at a database file's change counter and takes no lock: what SQLite
    does where another connection of the same process has the lock, which it knows of itself.

    A program that is started reads so, too: of its own file, which is not open any more."""
    if profile.process.python is None or not _database(profile):
        return False
    rows = profile.calls[tid]
    looks = [one for one in rows if one.syscall == "pread64" and one.kind in FILES]
    number = sum(one.calls or 0 for one in looks)
    read_bytes = sum(one.bytes or 0 for one in looks)
    locks = sum(one.calls or 0 for one in rows if one.syscall == "fcntl")
    return (
        sleeps >= LEAST_REFUSED
        and number >= LOOKS_PER_SLEEP * sleeps
        and read_bytes <= COUNTER_BYTES * number
        and locks < sleeps
    )


def _database(profile: ProcessProfile) -> str:
    rows = [
        one
        for one in profile.process.descriptors
        if one.kind in FILES and one.bytes_in and one.local
    ]
    # A descriptor of a journal may have been one of the database before.
    return BESIDE.sub("", max(rows, key=lambda one: one.calls or 0).local) if rows else ""


LOCKED = Rule(
    "IO151",
    "Waits for a file lock that others hold",
    "Hold the file lock for less: do slow work before it is taken or after it is released, use one "
    "lock file for each thing that is guarded, or a lock that is shared between readers (LOCK_SH). "
    "Give up after a while: LOCK_EX | LOCK_NB in a loop with a limit. `lslocks` shows who has it.",
    _waits,
    explains=SLEEPS,
    shared="path",
)
