# SPDX-License-Identifier: Apache-2.0
"""A thread that never sleeps, and serves nobody meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iotrace.report.model import SEVERITIES
from iotrace.verdict.advice import instead_of_computing
from iotrace.verdict.cpu_samples import LEAST_SAMPLES, LEAST_SHARE, busy_lines
from iotrace.verdict.frames import library_frames
from iotrace.verdict.greenlets import NEVER_YIELDS, YIELD, keeps_the_hub
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import HIGH_SHARE, Cost, Hit, Rule, always
from iotrace.verdict.stack import Stack, stack_of
from iotrace.verdict.standing_loops import GIVES_WAY_NEVER, StandingLoop, standing_loop
from iotrace.verdict.started_tasks import (
    START_FEWER,
    STARTING,
    STARTS_ONLY,
    STARTS_SHARE,
    starting_share,
)
from iotrace.verdict.thread_activity import Activity
from iotrace.verdict.told_lines import MOST, ToldLine, frame_text
from iotrace.vocabulary.calls import OTHER

NEVER_SLEEPS_SHARE = 0.95
"""Of its lifetime that it runs, or would run if it had a CPU or the GIL."""
LEAST_LIFETIME_NS = 1_000_000_000
CPU_SHARE = 0.1
"""Of its lifetime that it has run at least, and no less than it waited for the GIL: else the lack
of a CPU or of the GIL is the matter."""
OWED_NS = 1_000_000_000
"""A request that is not answered for so long: somebody waits."""
STALLS_SHARE = 0.5
"""Of its CPU time."""
REGEX_SHARE = 0.5
"""Of the samples of a thread, within the module re."""
LOGGING_SHARE = 0.5
"""Of the samples of a thread, in logging: it tells of the work, so it should take less."""
LOOK_UP_SHARE = 0.02
"""Of these, in re._compile, which looks a pattern up for each match: with more they are many short
matches, and none that goes on for long."""
CPU_PER_OPERATION_NS = 10_000_000
"""CPU time for each call that moved data or accepted: a thread that serves has less of it."""


def _never_sleeps(profile: ProcessProfile) -> Iterator[Hit]:
    serves = bool(profile.listening_ports()) or bool(profile.loop_threads())
    owed = any((one.oldest_unanswered_ns or 0) >= OWED_NS for one in profile.process.requests)
    for tid, seen in profile.threads.items():
        if not tid or not _is_busy(seen) or _stalls(seen):
            continue
        evidence: dict[str, float | int | str] = {
            "cpu_ns": seen.cpu_ns,
            "cpu_share_ratio": round(seen.cpu_ns / seen.lifetime_ns, 3),
            "sleeps": seen.voluntary,
            "useful_io_calls": seen.operations,
        }
        commonest = max(profile.calls[tid], key=lambda one: one.calls or 0, default=None)
        if commonest is not None and commonest.calls and commonest.syscall != OTHER:
            evidence["commonest_call"] = commonest.syscall
            evidence["calls_per_second"] = round(profile.per_second(commonest.calls))
            errors = commonest.errors or {}
            if errors:
                evidence["its_commonest_error"] = max(errors, key=lambda name: errors[name])
        waiting = [one for its, one in profile.threads.items() if its != tid and one.gil.wait_ns]
        waited = sum(one.gil.wait_ns for one in waiting)
        loop = any(one.watched for one in seen.multiplexers)
        logging = _logging_share(profile, tid)
        logs = logging >= LOGGING_SHARE
        if logs:
            evidence["logging_ratio"] = round(logging, 3)
        keeps_it = waited >= HIGH_SHARE * profile.wall_ns
        starting = starting_share(profile, tid)
        starts = starting >= STARTS_SHARE
        if starts:
            evidence[STARTING] = round(starting, 3)
        if keeps_it:
            evidence |= {"gil_waited_ns": waited, "threads_waiting_for_the_gil": len(waiting)}
        standing = None if starts else standing_loop(profile, tid)
        urgent = keeps_it or starts or (loop and owed)
        green = keeps_the_hub(profile, tid)
        grave = serves or logs or starts or green
        told = ("high" if urgent else "medium") if grave else "low"
        if standing:
            evidence["tasks_that_wait"] = standing.tasks
            told = min(told, standing.severity, key=SEVERITIES.index)
        yield Hit(
            evidence,
            seen.cpu_ns,
            tid,
            severity=told,
            lines=_lines(profile, tid, standing),
            title=STARTS_ONLY
            if starts
            else standing.title(seen.lifetime_ns)
            if standing
            else (
                _KEEPS_THE_GIL
                if keeps_it
                else (_LOOP if loop else _LOGS if logs else NEVER_YIELDS if green else "")
            ),
            advice=START_FEWER
            if starts
            else (
                _LESS_LOGGING
                if logs
                else _advice(profile, tid, loop=loop, green=green, standing=bool(standing))
            ),
        )


def _lines(
    profile: ProcessProfile, tid: int, standing: StandingLoop | None
) -> tuple[ToldLine, ...]:
    lines = busy_lines(profile.process, tid)
    if standing is None or any(frame_text(standing.frame) in one.text for one in lines):
        return lines
    return (*lines[:1], standing.line, *lines[1 : MOST - 1])


_KEEPS_THE_GIL = (
    "A thread never sleeps, and keeps Python's GIL: the program's other threads wait for it"
)
_LOOP = (
    "An event loop's thread never sleeps: it computes or looks at something again and again, and "
    "all else that the loop has to do waits"
)
_LOGS = "A thread never sleeps, and spends most of its CPU time on log messages"
_LESS_LOGGING = (
    "Most of its CPU time goes to logging: each message is made, formatted and written anew for "
    "each handler, with a write(2) each. Log less where it is called so often (debug() and a level "
    "above it, one message for many items), with fewer handlers, and without what is dear to "
    "find out (logging.logThreads, %(asctime)s); logging.handlers.MemoryHandler writes many "
    "messages at a time, QueueHandler leaves the writing to another thread."
)
_LOGGING = re.compile(r"/logging/(?:__init__|handlers|config)\.py$|/(?:loguru|structlog)/")
_BACKTRACKS = (
    "A regular expression goes on for so long where it has to try too many ways to match "
    "(backtracking: nested repetitions like (a+)+), and the GIL is kept meanwhile. Write it "
    "without such (possessive or atomic groups from Python 3.11 on), limit the length of what is "
    "searched, use an engine that does not backtrack (google-re2) or one with a timeout (regex), "
    "or search in another process."
)
_RE = re.compile(r"/re(?:/__init__|/_\w+)?\.py$")


def _advice(profile: ProcessProfile, tid: int, *, loop: bool, green: bool, standing: bool) -> str:
    """ "": the rule's own."""
    if _matches(profile, tid):
        return _BACKTRACKS
    if standing:
        return GIVES_WAY_NEVER + instead_of_computing(stack_of(profile, tid))
    if green:
        return YIELD + _IF_IT_COMPUTES + instead_of_computing(Stack.GEVENT)
    if not loop:
        return ""
    computing = instead_of_computing(stack_of(profile, tid))
    return f"{_FORGOTTEN if _forgets(profile, tid) else _WAITS}{computing}"


def _forgets(profile: ProcessProfile, tid: int) -> bool:
    """Whether much of its time goes with coroutines that nobody awaits: one may be dropped here
    and there by a thread that computes."""
    rows = [one for one in profile.process.cpu_samples if one.tid == tid]
    warning = [one for one in rows if any(row.function == _NEVER_AWAITED for row in one.stack)]
    seen, total = (sum(one.samples for one in some) for some in (warning, rows))
    return seen >= LEAST_SHARE * total > 0


_NEVER_AWAITED = "_warn_unawaited_coroutine"
"""Of the standard library's warnings.py, called for each coroutine that is dropped unawaited."""
_FORGOTTEN = (
    "Coroutines are made there and dropped without an await, so they do nothing "
    "(asyncio.sleep(1) does not sleep): await them. "
)
_IF_IT_COMPUTES = "If it computes: "
_WAITS = (
    "If it looks again and again, let it wait: await an event, a queue or a sleep of some length. "
    f"{_IF_IT_COMPUTES}"
)


def _logging_share(profile: ProcessProfile, tid: int) -> float:
    """Of its samples, those within logging that the program's own code has called."""
    rows = [one for one in profile.process.cpu_samples if one.tid == tid]
    inside = [
        one
        for one in rows
        if len(library := library_frames(one.stack)) < len(one.stack)
        and any(_LOGGING.search(frame.file) for frame in library)
    ]
    total = sum(one.samples for one in rows)
    return sum(one.samples for one in inside) / total if total >= LEAST_SAMPLES else 0.0


def _matches(profile: ProcessProfile, tid: int) -> bool:
    """Whether it spends most of its time on a CPU in few matches of regular expressions."""
    rows = [one for one in profile.process.cpu_samples if one.tid == tid and one.stack]
    inside = [one for one in rows if _RE.search(one.stack[0].file)]
    looks_up = sum(one.samples for one in inside if one.stack[0].function == "_compile")
    matches = sum(one.samples for one in inside)
    total = sum(one.samples for one in profile.process.cpu_samples if one.tid == tid)
    return matches > REGEX_SHARE * total and looks_up <= LOOK_UP_SHARE * matches


def _is_busy(seen: Activity) -> bool:
    return (
        seen.lifetime_ns >= LEAST_LIFETIME_NS
        and seen.wants_cpu_ns >= NEVER_SLEEPS_SHARE * seen.lifetime_ns
        and seen.cpu_ns >= max(CPU_SHARE * seen.lifetime_ns, seen.gil.wait_ns)
        and seen.operations * CPU_PER_OPERATION_NS <= seen.cpu_ns
    )


def _stalls(seen: Activity) -> bool:
    """It is an event loop whose long iterations take most of its CPU time: IO103 tells of them."""
    in_stalls = sum(loop.stalls.cpu_ns for loop in seen.multiplexers if loop.stalls)
    return in_stalls >= STALLS_SHARE * seen.cpu_ns


NEVER_SLEEPS = Rule(
    "IO133",
    "A thread never sleeps: it takes all the CPU time that it gets",
    "If it computes, move the work to another process (ProcessPoolExecutor): it keeps the GIL from "
    "the threads that serve. If it goes round in a loop, let it wait for an event, a queue or "
    "readiness instead of looking again.",
    _never_sleeps,
    explains={"IO105": always, "IO113": always},
    cost=Cost.CPU,
)
