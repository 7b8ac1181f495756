# SPDX-License-Identifier: Apache-2.0
"""sleep() between reading a request and answering it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from iotrace.report.stacks import Frame, InCall, Line
from iotrace.verdict.call_sums import category_of
from iotrace.verdict.frames import has_own, in_package, library_frames, named, since_fork
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import serves
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.request_time import whole_of
from iotrace.verdict.rules.rule import Hit, Rule, Tells
from iotrace.verdict.slow_limits import NOTICED_NS
from iotrace.verdict.sqlite_files import sqlite_database
from iotrace.verdict.thread_activity import Activity
from iotrace.verdict.told_lines import frame_text
from iotrace.verdict.upstreams import is_client
from iotrace.verdict.work_sources import is_of_job
from iotrace.vocabulary.calls import SLEEPS

LEAST_SHARE = 0.05
"""Of the time of the threads that serve."""
SLEEPS_PER_READ = 0.05
SERVICE_SHARE = 0.5
"""Of the time from reading requests to answering them, asleep in sleeps: then few are enough."""
BEFORE_SHARE = 0.05
"""Of the time asleep, before the first byte of answers: with less it is no part of what clients
wait for, as long as all but"""
OWED_SHARE = 0.1
"""this part of the requests were answered: what is owed may be slept over as well."""
KNOWN_SHARE = 0.5
"""Of the requests answered: of so many it is known what was done for them. Of those that had come
before the trace, and where several overlap on a connection, it is not."""
BUSY_NS = 110_000_000
"""On average: SQLite's busy handler sleeps for 100 ms at most at a time, and wake-ups are late."""


def _asleep(profile: ProcessProfile) -> Iterator[Hit]:
    serving = {
        tid: one
        for tid, one in profile.threads.items()
        if profile.styles[tid].role == "reader"
        and one.reads.ok
        and one.writes.ok
        and not profile.is_beside(tid, "sleep")
    }
    given = {} if serving else _given_jobs(profile)
    serving = serving or given
    asleep = sum(one.sleeps.wait_ns for one in serving.values())
    sleeps = sum(one.sleeps.calls for one in serving.values())
    reads = sum((one.pipe_reads if given else one.reads).ok for one in serving.values())
    lifetime = sum(one.lifetime_ns for one in serving.values())
    of_threads = max(1, min(lifetime, profile.wall_ns))
    whole = whole_of(asleep, profile, NOTICED_NS, ("sleep",), of_threads)
    if asleep < LEAST_SHARE * whole.ns or not sleeps:
        return
    rare = sleeps < SLEEPS_PER_READ * reads
    in_service = min(asleep, _in_service(profile))
    if rare and in_service < LEAST_SHARE * whole.ns:
        return
    client = is_client(profile)
    beside = not rare and _hardly_before_answers(profile, asleep)
    accepts = len(serving) == 1 and any(one.accepts.calls for one in serving.values())
    lines = [
        line
        for line in lines_of_category(profile.process, "sleeps")
        # Others may sleep as they like; a line names one of those that share its stack.
        if line.tid in serving or serves(line.stack)
    ]
    library = _mostly_in(lines)
    retries = library is not None and _tries_again(library)
    if (
        client
        and lines
        and not retries
        and not any(has_own(since_fork(one.stack)) for one in lines)
    ):
        return  # a library's own clock, which nobody waits for: a scheduler, a health check
    in_jobs = bool(lines) and all(is_of_job(one.stack) for one in lines)
    slept = max(1, sleeps + _under_way(profile, serving))
    yield Hit(
        {
            "sleeps": slept,
            "asleep_ns": asleep,
            "mean_sleep_ns": asleep // slept,
            "reads": reads,
            "threads": len(serving),
            **({"asleep_in_service_ns": in_service} if in_service else {}),
            **({"sleeps_in": frame_text(library)} if library else {}),
        },
        in_service if rare else asleep,
        next(iter(serving)) if len(serving) == 1 else None,
        lines=waiting_lines(lines, profile.process),
        severity="low" if beside or (client and not retries) else None,
        title=_BESIDE
        if beside
        else _title(library, client=client, retries=retries)
        or (_IN_JOBS if given else _IN_QUEUED_JOBS if in_jobs else ""),
        advice=RETRIES
        if retries
        else " ".join(
            (
                *((_BUSY,) if asleep <= BUSY_NS * sleeps and sqlite_database(profile) else ()),
                _ADVICE,
                *((_ACCEPTS,) if accepts else ()),
            )
        ),
        whole=whole,
    )


def _under_way(profile: ProcessProfile, tids: Iterable[int]) -> int:
    """Sleeps that had not ended, whose time counts as well."""
    calls = (one for tid in tids for one in profile.calls[tid])
    return sum(one.in_flight for one in calls if category_of(one) == "sleeps")


def _given_jobs(profile: ProcessProfile) -> dict[int, Activity]:
    """The main thread, where a pool of processes gives it its jobs, through a pipe, and it sleeps
    within: other threads read the pipes of what they have started."""
    within = {
        line.tid
        for line in lines_of_category(profile.process, "sleeps")
        if serves(line.stack) and has_own(line.stack)
    }
    return {
        tid: one
        for tid, one in profile.threads.items()
        if tid == profile.process.pid and tid in within and one.pipe_reads.ok and not one.reads.ok
    }


def _tries_again(library: Frame) -> bool:
    return _TRIES_AGAIN.search(named(library)) is not None


def sleeps_to_retry(call: InCall) -> bool:
    """Whether a library sleeps there before it makes a call again that has failed."""
    packages = filter(in_package, library_frames(call.stack))
    return call.syscall in SLEEPS and any(map(_tries_again, packages))


def _mostly_in(lines: Sequence[Line]) -> Frame | None:
    """The function of an installed package that most of these sleeps are made in, by the time."""
    sums = Counter[tuple[str, str]]()
    frames: dict[tuple[str, str], Frame] = {}
    for line in lines:
        inner = next((one for one in library_frames(line.stack) if in_package(one)), None)
        if inner is not None:
            sums[inner.file, inner.function] += line.wait_ns
            frames.setdefault((inner.file, inner.function), inner)
    if not sums:
        return None
    most, slept = sums.most_common(1)[0]
    return frames[most] if 2 * slept > sum(line.wait_ns for line in lines) else None


def _title(library: Frame | None, *, client: bool, retries: bool) -> str:
    if library is None:
        return "Sleeps between its calls to other services" if client else ""
    where = f"{library.function} of {library.place}"
    if retries:
        return (
            f"A library sleeps before it tries again: {where}, for what has failed or was refused"
        )
    if client:
        return f"Sleeps between its calls to other services: {where} does"
    return f"Sleep in the request path: a library's, {where}"


def _in_service(profile: ProcessProfile) -> int:
    """Asleep with a request in hand, where that is most of the time that its requests took; else 0.

    Requests are few or many: a long sleep in a rare one may be most of what users wait for.
    """
    parts = [tier.service_ns for row in profile.process.requests for tier in row.tiers]
    slept = sum(part.get("sleep", 0) for part in parts)
    return slept if slept >= SERVICE_SHARE * sum(sum(part.values()) for part in parts) else 0


def _hardly_before_answers(profile: ProcessProfile, asleep_ns: int) -> bool:
    """Requests are answered, and threads sleep at other times: between the parts of an answer."""
    rows = profile.process.requests
    exchanges = sum(one.exchanges for one in rows)
    owed = sum(one.unanswered for one in rows)
    tiers = [one for row in rows for one in row.tiers]
    parts = (part for one in tiers for part in (one.pickup_ns, one.service_ns))
    slept_ns = sum(part.get("sleep", 0) for part in parts)
    return (
        0 < exchanges <= sum(one.count for one in tiers) / KNOWN_SHARE
        and owed <= OWED_SHARE * exchanges
        and slept_ns < BEFORE_SHARE * asleep_ns
    )


_BESIDE = (
    "Threads that serve sleep, but hardly while a request waits for its answer: while the rest of "
    "an answer is sent (an event stream), or between requests"
)
_IN_JOBS = "Sleep in jobs that a pool of processes is given"
_IN_QUEUED_JOBS = "Sleep in jobs of a task queue"
_ADVICE = (
    "Wait for the thing itself instead of for time to pass: Event.wait(), Condition.wait(), "
    "Queue.get(timeout), select() on the socket. For back-off, answer and let the client retry."
)
_ACCEPTS = (
    "The same thread accepts connections, and accepts none meanwhile: serve each connection in a "
    "thread of its own (ThreadingMixIn, an executor; gunicorn: --threads) or in an event loop."
)
_BUSY = (
    "Where the line is a statement for SQLite (execute, commit), the sleep is not the program's: "
    "another connection has the database locked, and SQLite's busy handler tries again. Keep that "
    "one's transaction short (commit before slow work), and let one thread write."
)
_TRIES_AGAIN = re.compile(r"retr(?:y|ies)|back_?off|tenacity", re.IGNORECASE)
RETRIES = (
    "See why the call fails: the other service's log, its status (429 and 503 with Retry-After are "
    "slept for as long as it says), refused connections. A call's timeout does not count these "
    "sleeps: limit them (urllib3: Retry(total=2, backoff_max=1, respect_retry_after_header=False); "
    "boto3: retries max_attempts; tenacity: stop_after_delay), answer with an error meanwhile, and "
    "leave further attempts to a job in the background."
)


def _delays(cause: Hit, symptom: Hit) -> bool:
    """Data waits until a sleep is over: where it lay for longer than that, and nobody is served,
    another thread was to read it."""
    mean = int(cause.evidence["mean_sleep_ns"])
    return cause.severity != "low" or int(symptom.evidence.get("p50_ns", 0)) <= mean


ASLEEP = Rule(
    "IO117",
    "Sleep in the request path: threads that serve call sleep",
    _ADVICE,
    _asleep,
    explains={"IO105": _delays},
    tells=Tells.WAIT,
)
