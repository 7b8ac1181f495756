# SPDX-License-Identifier: Apache-2.0
"""Threads that look at thousands of files again and again, to see whether one has changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from iotrace.verdict.cpu_samples import busy_lines, import_lines, import_share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Cost, Hit, Rule, covers
from iotrace.verdict.thread_activity import Activity
from iotrace.vocabulary.calls import FILE_LOOKS, FILE_OPENS, READS, WRITES

LOOKS_PER_SECOND = 1_000
CPU_SHARE = 0.02
"""Of one CPU, that the looks take."""
ASLEEP_SHARE = 0.1
"""Of its time that the thread sleeps between the looks: who walks through files once does not."""
LEAST_LIFE_NS = 3_000_000_000
LEAST_LIFE_SHARE = 0.9
"""Of a process, or of the trace where that is shorter: a younger one has imported its modules, and
looks at nothing again and again."""
LEAST_SLEEPS = 3
OPENED_SHARE = 0.5
"""Files opened, of the looks: who polls opens none, but those that have changed."""
WRITES_SHARE, READS_SHARE = 0.2, 0.2
"""Of the files opened: so often they are written to, and less often read from."""
OPERATIONS_SHARE = 0.05
"""Of the looks: a thread that serves files moves data over sockets as well."""

LEAST_REQUESTS = 20
"""A server that has answered as many has long begun."""
IMPORT_SHARE = 0.5
"""Of the CPU samples of these threads, in which modules were imported: the looks are for those."""


def _polled(profile: ProcessProfile) -> Iterator[Hit]:
    if profile.wall_ns < min(LEAST_LIFE_NS, LEAST_LIFE_SHARE * profile.duration_ns):
        return
    looks = {tid: _looks(profile, tid) for tid in profile.threads}
    tids = [
        tid
        for tid, seen in profile.threads.items()
        if profile.per_second(looks[tid]) >= LOOKS_PER_SECOND and _comes_back(seen, looks[tid])
    ]
    if not tids and _imports_for_requests(profile):  # in many threads, a little each
        tids = [tid for tid, count in looks.items() if count]
        if profile.per_second(sum(looks.values())) < LOOKS_PER_SECOND:
            return
    cpu_ns = sum(
        profile.threads[tid].cpu_ns * looks[tid] // max(1, profile.threads[tid].syscalls)
        for tid in tids
    )
    if cpu_ns < CPU_SHARE * profile.wall_ns:
        return
    number = sum(looks[tid] for tid in tids)
    opened = sum(_opened(profile, tid) for tid in tids)
    evidence: dict[str, float | int | str] = {
        "looks": number,
        "looks_per_second": round(profile.per_second(number)),
        "sleeps": sum(profile.threads[tid].voluntary for tid in tids),
        "cpu_ns": cpu_ns,
    }
    only = tids[0] if len(tids) == 1 else None
    imports = import_share(profile.process, tids) >= IMPORT_SHARE
    reads = opened >= OPENED_SHARE * number and not imports
    writes = _written(profile, tids, opened) if reads else {}
    if reads:
        cpu_ns = max(cpu_ns, _at_their_place_ns(profile, tids))
        evidence |= {"opened": opened, "cpu_ns": cpu_ns, **writes}
    who = "a thread" if only is not None else f"{len(tids)} threads"
    each = "s" if only is not None else ""
    yield Hit(
        evidence,
        cpu_ns,
        only,
        lines=(import_lines(profile.process, tids) if imports else ())
        or busy_lines(profile.process, only),
        title=f"Imports modules again and again: {who} look{each} for their files "
        f"{profile.per_second(number):,.0f} times a second"
        if imports
        else f"Opens a file anew for each write: {who} open{each} "
        f"{profile.per_second(opened):,.0f} files a second, to write "
        f"{writes['bytes_each_time']:,} bytes {profile.per_second(writes['writes']):,.0f} times"
        + (f"; a file is locked each time ({_LOCK})" if _LOCK in writes else "")
        if writes
        else f"Reads thousands of files again and again: {who} open{each} "
        f"{profile.per_second(opened):,.0f} a second, and compute{each} with what is in them"
        if reads
        else f"Polls the file system: {who} look{each} at thousands of files (stat) again and "
        "again",
        advice=_IMPORTS if imports else _WRITES if writes else _READS if reads else "",
    )


def _imports_for_requests(profile: ProcessProfile) -> bool:
    """Most of its CPU time, while it serves: no program that starts."""
    served = sum(one.exchanges for one in profile.process.requests)
    return (
        served >= LEAST_REQUESTS
        and import_share(profile.process, list(profile.threads)) >= IMPORT_SHARE
    )


def _looks(profile: ProcessProfile, tid: int) -> int:
    return sum(row.calls or 0 for row in profile.calls[tid] if row.syscall in FILE_LOOKS)


def _opened(profile: ProcessProfile, tid: int) -> int:
    return sum(
        (row.calls or 0) - sum((row.errors or {}).values())
        for row in profile.calls[tid]
        if row.syscall in FILE_OPENS
    )


def _written(profile: ProcessProfile, tids: Sequence[int], opened: int) -> dict[str, int]:
    """As evidence: what is written to files that are opened for it; {} where they are read."""
    rows = [row for tid in tids for row in profile.calls[tid] if row.kind == "file"]
    writes = [row for row in rows if row.syscall in WRITES]
    written = sum(row.calls or 0 for row in writes)
    read = sum(row.calls or 0 for row in rows if row.syscall in READS)
    if written < WRITES_SHARE * opened or read >= READS_SHARE * opened:
        return {}
    locked = sum(row.calls or 0 for row in rows if row.syscall == _LOCK)
    return {
        "writes": written,
        "bytes_each_time": sum(row.bytes or 0 for row in writes) // written,
        **({_LOCK: locked} if locked >= written else {}),
    }


def _at_their_place_ns(profile: ProcessProfile, tids: Sequence[int]) -> int:
    """The CPU time at the line of the program's own where samples found these threads most: what
    is done with the files is a part of it."""
    places: dict[object, int] = {}
    for one in profile.process.cpu_samples:
        if one.tid in tids and one.stack:
            frame = one.own_stack[0]
            key = frame.file, frame.function
            places[key] = places.get(key, 0) + one.cpu_ns
    return max(places.values(), default=0)


def _comes_back(seen: Activity, looks: int) -> bool:
    return (
        seen.voluntary >= LEAST_SLEEPS
        and seen.asleep_ns - seen.wait_ns["file"] >= ASLEEP_SHARE * seen.lifetime_ns
        and seen.operations <= OPERATIONS_SHARE * looks
    )


_LOCK = "flock"
_READS = (
    "Read them once and keep what is needed, in a thread of its own where it must be read again; "
    "put into one file what belongs together; remove files that nobody needs any more (prometheus_"
    "client: PROMETHEUS_MULTIPROC_DIR keeps those of all workers that have ended, empty it at each "
    "start). A request should not pay for it."
)
_WRITES = (
    "Keep the file open. A logging handler that opens its file for each record, and a lock file as "
    "well so that several processes can write to one log (concurrent_log_handler), has that done "
    "by the thread that logs: give each process a file of its own (logging.FileHandler), or log to "
    "stderr and have one program collect it. QueueHandler and QueueListener take it off that "
    "thread; a higher level makes it less."
)
_IMPORTS = (
    "Import at the top of the file, so that it happens once. A module is imported anew where it "
    "was removed from sys.modules or reloaded, and where importing it has failed: an optional "
    "package that is not installed (try: import ... except ImportError in a function) is looked "
    "for in every folder of sys.path each time. Keep what came of it in a variable."
)
POLLED = Rule(
    "IO172",
    "Polls the file system: looks at thousands of files again and again",
    "Have the kernel tell of changes (inotify: the watchdog or watchfiles packages; reloaders of "
    "Werkzeug, Django and uvicorn use them where they are installed), look less often, or leave "
    "folders out (exclude_patterns, --reload-exclude). No reloader in production.",
    _polled,
    explains={"IO113": covers, "IO135": covers},
    cost=Cost.CPU,
)
