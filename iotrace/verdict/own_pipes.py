# SPDX-License-Identifier: Apache-2.0
"""Reads from pipes that only the reader itself could write to: whoever should have has ended."""

from __future__ import annotations

import re

from iotrace.verdict.frames import library_frames, named
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import Stuck, is_only_thread, target_text

_MULTIPROCESSING = re.compile(r"/multiprocess(?:ing)?/")
_FEEDS = re.compile(r"/multiprocess(?:ing)?/queues\.py:_feed$")
"""What is read there comes from another process. Elsewhere a signal may write to a pipe of its own
process (signal.set_wakeup_fd)."""


def nobody_writes(one: Stuck, profile: ProcessProfile) -> bool:
    """Whether it waits for another process and nobody is left that could write: no other process
    has the pipe, and this one has no other thread."""
    return (
        one.call.alone
        and one.own
        and is_only_thread(one, profile)
        and any(_MULTIPROCESSING.search(frame.file) for frame in library_frames(one.call.stack))
    )


def nobody_writes_text(one: Stuck) -> str:
    on = target_text(one.call) or "a pipe"
    return (
        f"in {one.call.syscall} from {on} that no other process has open any more: the process "
        "that should put something into it has ended, most likely killed before it did, and there "
        "is no end of file, as this process itself has the writing end, too"
    )


def feeds_queue(one: Stuck) -> bool:
    """Whether it is the thread that writes the items of a multiprocessing.Queue into its pipe, and
    waits for room there."""
    return one.purpose is Purpose.READER and any(_FEEDS.search(named(f)) for f in one.call.stack)


def feeds_queue_text(one: Stuck, profile: ProcessProfile) -> str:
    """What it does, and who could read it: ``others`` have the pipe's other end."""
    others = [pid for pid in one.call.others if pid != profile.process.pid]
    who = "nobody reads it"
    if not others and not one.call.read_by:
        who = "no other process that was traced has it open to read it"
    return (
        f"writing the items of a multiprocessing.Queue (queues.py, its feeder thread) to "
        f"{target_text(one.call) or 'its pipe'}, which is full: {who}"
    )


NOBODY_WRITES = (
    "multiprocessing.Queue.get() and Connection.recv() do not notice that the process on the other "
    "side has died: look for its end (exit code, dmesg for the OOM killer), and wait for it, too "
    "(multiprocessing.connection.wait([process.sentinel, connection]), or get(timeout=...) and "
    "process.is_alive() in turn). Of a Pipe() close the child's end in the parent after start(), "
    "then recv() raises EOFError. ProcessPoolExecutor raises BrokenProcessPool."
)
