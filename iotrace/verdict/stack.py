# SPDX-License-Identifier: Apache-2.0
"""What a program is written with, as far as its Python stacks show: advice depends on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from enum import Enum

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import since_fork
from iotrace.verdict.process_profile import ProcessProfile


class Stack(Enum):
    """The framework that calls the program's code, the innermost first to be recognised."""

    GEVENT = "gevent"
    EVENTLET = "eventlet"
    TWISTED = "Twisted"
    TRIO = "Trio"
    ASYNCIO = "asyncio"
    POOL = "thread pool"
    THREADS = "threads"
    UNKNOWN = ""


_FILES = {
    Stack.GEVENT: ("/gevent/",),
    Stack.EVENTLET: ("/eventlet/",),
    Stack.TWISTED: ("/twisted/",),
    Stack.TRIO: ("/trio/",),
    Stack.ASYNCIO: ("/asyncio/", "/uvloop/", "/tornado/", "/anyio/_backends/_asyncio"),
}
"""Parts of the paths of each one's modules."""

_POOL_WORKERS = (
    ("concurrent/futures/thread.py", "_worker"),
    ("multiprocessing/pool.py", "worker"),
    ("multiprocess/pool.py", "worker"),
    ("anyio/_backends/_asyncio.py", "WorkerThread.run"),
    ("waitress/task.py", "ThreadedTaskDispatcher.handler_thread"),
    ("cheroot/workers/threadpool.py", "WorkerThread.run"),
    ("twisted/_threads/_threadworker.py", "ThreadWorker.__init__.<locals>.work"),
)
"""(file, function) of the loops in which a pool's threads fetch their work."""
_THREAD = "/threading.py"
"""Below them in the stack; a loop's own run() may have a worker's name."""


def stack_of(profile: ProcessProfile, tid: int | None = None) -> Stack:
    """What a thread's stacks, or those of all threads, run in; a coroutine runs in its loop."""
    files = [frame.file for frames in stacks(profile, tid) for frame in frames]
    for stack, parts in _FILES.items():
        if any(part in file for file in files for part in parts):
            return stack
    if _runs_tasks(profile, tid):
        return Stack.ASYNCIO
    if tid is not None and in_green_thread(profile, tid):
        return _named_green(profile)
    if any(map(is_pooled, stacks(profile, tid))):
        return Stack.POOL
    return Stack.THREADS if any(file.endswith(_THREAD) for file in files) else Stack.UNKNOWN


def _runs_tasks(profile: ProcessProfile, tid: int | None) -> bool:
    """Whether a thread has an event loop where there are asyncio tasks: below many middlewares the
    loop's own frames are further out than stacks are kept."""
    if profile.tasks is None or not profile.tasks.tasks:
        return False
    return any(seen.multiplexers for one, seen in profile.threads.items() if tid in (None, one))


def in_green_thread(profile: ProcessProfile, tid: int) -> bool:
    """Whether the main thread computes or waits in what threading.py has started as a thread: such
    are greenlets of it, threads were patched. The switch to them leaves no frame of the library."""
    if tid != profile.process.pid:
        return False
    seen = [one.stack for one in profile.process.cpu_samples if one.tid == tid]
    seen += [one.in_call.stack for one in profile.process.threads if one.tid == tid and one.in_call]
    begun = [stack for stack in seen if stack and stack[-1].file.endswith(_THREAD)]
    # A child that a thread has forked begins there as well.
    return bool(begun) and (
        _named_green(profile) is not Stack.UNKNOWN
        or (profile.parent is None and not any(len(since_fork(one)) < len(one) for one in begun))
    )


def _named_green(profile: ProcessProfile) -> Stack:
    """By the helper threads of gevent's or eventlet's, or what the process was started with."""
    command = " ".join(profile.process.cmdline)
    now = (one.in_call.stack for one in profile.process.threads if one.in_call)
    sampled = (one.stack for one in profile.process.cpu_samples)
    seen = (*stacks(profile), *now, *sampled)
    files = [frame.file for frames in seen for frame in frames]
    green = (Stack.GEVENT, Stack.EVENTLET)
    return next(
        (
            one
            for one in green
            if one.value in command or any(part in file for part in _FILES[one] for file in files)
        ),
        Stack.UNKNOWN,
    )


def stacks(profile: ProcessProfile, tid: int | None = None) -> Iterator[tuple[Frame, ...]]:
    """The stacks that were kept of a thread (None: of all), of slow calls and of stalls."""
    for line in profile.process.lines:
        if tid is None or line.tid == tid:
            yield line.stack
    for loop in profile.process.loops:
        if loop.stalls and (tid is None or loop.tid == tid):
            for one in loop.stalls.causes:
                # The stack of a stall by the GIL is that of the thread that had it.
                if one.cause != "gil":
                    yield one.stack


def in_pool(profile: ProcessProfile, tids: Collection[int]) -> bool:
    """Whether these threads work for a pool: most of their slow calls are in its workers' loop.

    A line is of all threads with that stack, and names the latest: so many threads are told
    together, not each.
    """
    lines = [line for line in profile.process.lines if line.tid in tids]
    pooled = sum(line.wait_ns for line in lines if is_pooled(line.stack))
    return pooled > sum(line.wait_ns for line in lines if not is_pooled(line.stack))


def is_pooled(frames: Collection[Frame]) -> bool:
    """Whether a stack is that of a pool's worker. Before CPython 3.11 functions are named without
    their classes."""
    if not any(frame.file.endswith(_THREAD) for frame in frames):
        return False
    return any(
        frame.file.endswith(file) and frame.function in (function, function.rsplit(".")[-1])
        for frame in frames
        for file, function in _POOL_WORKERS
    )
