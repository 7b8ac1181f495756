# SPDX-License-Identifier: Apache-2.0
"""A process whose main thread has ended, and that does not end itself: another thread ends it."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.verdict.number_formats import plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
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
    left = f"{plural(len(waiting), 'thread')} that {'is' if one else 'are'} left"
    return Hit(
        {
            "threads_left": len(waiting),
            "waited_ns": longest.held_ns,
            **({"still_listens_at": listening} if listening else {}),
        },
        longest.held_ns,
        longest.tid if one else None,
        severity="high",
        title=f"The process is ending and does not end: its main thread has ended, and {left} "
        f"{'waits' if one else 'wait'} for a lock {held_text(longest, profile)}. It serves nobody, "
        "and no other takes its place before it is gone",
    )


GONE = Rule(
    "IO211",
    "A process is ending and does not end: its main thread is gone",
    "exit() in another thread than the main one runs the exit handlers and Python's finalisation "
    "there, which wait for a thread or a lock that is gone. End the process from its main thread, "
    "or have its master kill it sooner (uWSGI: a short worker-reload-mercy; skip-atexit-teardown "
    "leaves the finalisation out; look for a newer version). `gdb -p PID -batch -ex 'thread apply "
    "all bt'` shows what it waits for; kill -9 ends it.",
    _does_not_end,
    explains={"IO140": always, "IO141": always, "IO144": always},
    rank=Rank.STUCK,
    least=Detail.LIGHT,
)
