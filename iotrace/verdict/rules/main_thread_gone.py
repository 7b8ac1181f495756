# SPDX-License-Identifier: Apache-2.0
"""A process whose main thread has ended, and that does not end itself: another thread ends it."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rank, Rule
from iotrace.verdict.stuck import Stuck, held_text, stuck_threads
from iotrace.vocabulary.calls import LOCKS


def _does_not_end(profile: ProcessProfile) -> Iterator[Hit]:
    process = profile.process
    if process.ended_ns is not None or process.count != 1:
        return
    alive = [row for row in process.threads if row.tid and row.ended_ns is None]
    if not alive or any(row.tid == process.pid for row in alive):
        return
    # A thread with a Python stack is at work, or could be: a program without a main thread. The
    # memory of a process whose main thread has ended cannot be read, so that there is none here.
    waiting = [
        one for one in stuck_threads(profile) if one.call.syscall in LOCKS and not one.call.stack
    ]
    if len(waiting) < len(alive):
        return
    yield _hit(waiting, profile)


def _hit(waiting: list[Stuck], profile: ProcessProfile) -> Hit:
    longest = max(waiting, key=lambda one: one.held_ns)
    sockets = profile.process.sockets
    listening = ", ".join(sockets.listening) if sockets else ""
    one = len(waiting) == 1
    ending = _is_python(profile) and _is_missed(profile)
    left = plural(len(waiting), "thread")
    return Hit(
        {
            "threads_left": len(waiting),
            "waited_ns": longest.held_ns,
            **({"still_listens_at": listening} if listening else {}),
        },
        longest.held_ns,
        longest.tid if one else None,
        severity="high" if ending else "low",
        title=f"The process is ending and does not end: its main thread has ended, and {left} that "
        f"{'is left waits' if one else 'are left wait'} for a lock {held_text(longest, profile)}"
        if ending
        else f"The main thread has ended; {left} {'waits for a lock' if one else 'wait for locks'}",
        advice="" if ending else _ON_PURPOSE,
    )


def _is_python(profile: ProcessProfile) -> bool:
    """Whether it is known to be a CPython: seen before its main thread ended, or forked by one
    whose name it still has."""
    process, parent = profile.process, profile.parent and profile.parent.process
    forked = parent and parent.python is not None and parent.name == process.name
    return process.python is not None or bool(forked)


def _is_missed(profile: ProcessProfile) -> bool:
    """Whether there is one that waits for its end, or somebody that it should serve."""
    sockets = profile.process.sockets
    owed = any(row.unanswered or row.pending for row in profile.process.requests)
    return profile.parent is not None or owed or bool(sockets and sockets.pending)


def _by_its_end(cause: Hit, symptom: Hit) -> bool:
    """Threads of one that is ending wait for nothing else; others do."""
    return cause.severity == "high"


_ON_PURPOSE = (
    "A program may end its main thread on purpose (pthread_exit) and leave the work to its other "
    "threads: while they wait for work, nothing is wrong. If it should have ended, `gdb -p PID "
    "-batch -ex 'thread apply all bt'` shows what it waits for."
)


GONE = Rule(
    "IO211",
    "A process is ending and does not end: its main thread is gone",
    "End a process from its main thread: exit() in another one runs the exit handlers and Python's "
    "finalisation there, which wait for a thread or a lock that is gone. `gdb -p PID -batch -ex "
    "'thread apply all bt'` shows what it waits for; kill -9 ends it. Have whoever waits for its "
    "end kill it after a time limit (uWSGI: worker-reload-mercy).",
    _does_not_end,
    explains={"IO140": _by_its_end, "IO141": _by_its_end, "IO144": _by_its_end},
    rank=Rank.STUCK,
    least=Detail.LIGHT,
)
