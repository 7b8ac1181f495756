# SPDX-License-Identifier: Apache-2.0
"""The threads of pools: what each of them was at, by its stack or by its waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from iotrace.report.model import Call, Thread
from iotrace.report.stacks import Frame, InCall, Line
from iotrace.verdict.frames import short_name
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import purpose_of
from iotrace.verdict.stuck import Stuck, in_calls, place_text
from iotrace.vocabulary.calls import WRITES
from iotrace.vocabulary.kinds import INTERPRETER_KINDS, PIPE

POOLS_SHARE = 0.9
"""Of all that a process waited in calls of one kind, in stacks of one pool: whoever made such calls
is of that pool."""
UNBROKEN_SHARE = 0.005
"""Of the time of a pool's threads, at most, that they slept in locks, of whatever: who has asked
for the next job has done so before they were free."""
UNBROKEN_THREADS = 4
"""Of fewer a single client may be as quick."""
UNBROKEN_JOBS = 3
"""Of each thread: of fewer nothing tells that they end."""
WAITS_PER_JOB = 0.05
"""For work, of a millisecond or more; a client that has its answer takes so long to ask again."""

_OF_PROCESSES_TOO = "multiprocessing.pool.ThreadPool"
_WAKES = frozenset(("unix", "eventfd", PIPE))
_WORKERS = {
    "concurrent/futures/thread.py:_worker": "ThreadPoolExecutor",
    "anyio/_backends/_asyncio.py:run": "AnyIO's worker threads",
    "waitress/task.py:handler_thread": "waitress's threads",
    "cheroot/workers/threadpool.py:run": "cheroot's thread pool",
    "multiprocessing/pool.py:worker": _OF_PROCESSES_TOO,
    "multiprocess/pool.py:worker": _OF_PROCESSES_TOO,
    "_core/_thread_cache.py:_work": "Trio's worker threads",
    "tornado/concurrent.py:_worker": "Tornado's executor",
    "twisted/_threads/_threadworker.py:work": "Twisted's thread pool",
    "dramatiq/worker.py:run": "dramatiq's workers",
}
"""The loops in which threads of a pool fetch their work."""


_WAITS = ("/queue.py", "/queues.py", "/threading.py", "/twisted/_threads/_threadworker.py")
"""What those loops fetch it from."""


def threads_of_pools(profile: ProcessProfile) -> Iterator[tuple[str, Stuck, Thread]]:
    """The pool's name, what the thread is at, the thread.

    A thread that is on a CPU at the end, or waits for one or for the GIL, as is likely on a busy
    machine, has no call that tells of its work then: what it waited in most does.
    """
    at_the_end = {one.tid: one for one in in_calls(profile)}
    lines = [(pool_of(line.stack), line) for line in profile.process.lines]
    of_pools = [(name, line) for name, line in lines if name]
    kinds = _of_one_pool(of_pools, profile) if of_pools else {}
    for row in profile.process.threads:
        one = at_the_end.get(row.tid)
        if kinds and (one is None or not _tells(one)):
            one = _by_its_waits(row, kinds, profile) or one
        name = pool_of(one.call.stack) if one else ""
        if one and name and not (name == _OF_PROCESSES_TOO and row.tid == profile.process.pid):
            yield name, one, row


def pool_of(stack: Sequence[Frame]) -> str:
    """The pool whose thread has this stack; "": none that is known."""
    return next(filter(None, map(_pool_at, reversed(stack))), "")


def _pool_at(frame: Frame) -> str:
    key = f"{frame.file}:{short_name(frame)}"
    return next((name for place, name in _WORKERS.items() if key.endswith(place)), "")


def is_idle(one: Stuck) -> bool:
    """Whether it waits for a lock in the pool's own code: for work."""
    return _is_idle_call(one.call)


def _is_idle_call(call: InCall | Line) -> bool:
    lock = call.syscall == "futex" and call.kind not in INTERPRETER_KINDS
    return lock and _fetches_work(call.stack)


def _fetches_work(stack: Sequence[Frame]) -> bool:
    """Whether the loop of a pool itself waits, and nothing that it has called to work: that may be
    a library's code alone, too."""
    for frame in stack:
        if _pool_at(frame):
            return True
        if not frame.file.endswith(_WAITS):
            return False
    return False


def idle_tids(profile: ProcessProfile) -> frozenset[int]:
    """Threads of pools that wait for work at the end."""
    return frozenset(
        one.tid
        for one in in_calls(profile)
        if one.call.stack and pool_of(one.call.stack) and is_idle(one)
    )


def idle_ns(profile: ProcessProfile) -> int:
    """What all threads of its pools together have waited for work, as far as stacks tell."""
    lines = profile.process.lines
    return sum(one.wait_ns for one in lines if pool_of(one.stack) and _is_idle_call(one))


def without_break(
    profile: ProcessProfile, lifetimes_ns: Sequence[int], *, jobs: int, rested_ns: int
) -> bool:
    """Whether threads of a pool, all that it has, had their next job at once, whatever locks they
    slept in between: ``rested_ns`` altogether, while about so many ``jobs`` were done."""
    lines = profile.process.lines
    waits = sum(one.calls for one in lines if pool_of(one.stack) and _is_idle_call(one))
    return (
        len(lifetimes_ns) >= UNBROKEN_THREADS
        and jobs >= UNBROKEN_JOBS * len(lifetimes_ns)
        and rested_ns <= UNBROKEN_SHARE * sum(lifetimes_ns)
        and waits <= WAITS_PER_JOB * jobs
    )


def _tells(one: Stuck) -> bool:
    return bool(one.call.stack) and (bool(place_text(one)) or is_idle(one))


def _of_one_pool(
    of_pools: Sequence[tuple[str, Line]], profile: ProcessProfile
) -> dict[tuple[str, str], Line]:
    """Where a pool's threads waited longest, by the kind of calls that they alone wait in."""
    waited = Counter[tuple[str, str]]()
    for one in profile.process.calls:
        waited[_kind(one)] += one.wait_ns
    by_kind: dict[tuple[str, str], list[tuple[str, Line]]] = {}
    for name, line in of_pools:
        by_kind.setdefault(_kind(line), []).append((name, line))
    longest = {}
    for kind, lines in by_kind.items():
        in_pools = Counter[str]()
        for name, line in lines:
            in_pools[name] += line.wait_ns
        ((pool, in_pool),) = in_pools.most_common(1)
        if in_pool >= POOLS_SHARE * waited[kind]:
            its = [line for name, line in lines if name == pool]
            longest[kind] = max(its, key=lambda one: one.wait_ns)
    return longest


def _by_its_waits(
    row: Thread, kinds: Mapping[tuple[str, str], Line], profile: ProcessProfile
) -> Stuck | None:
    """By the calls that it waited in most, where a pool's threads alone make such."""
    calls = [one for one in profile.calls.get(row.tid, ()) if one.kind not in INTERPRETER_KINDS]
    most = max(calls, key=lambda one: one.wait_ns, default=None)
    if most is None or not most.wait_ns:
        return None
    line = kinds.get(_kind(most))
    if line is None:
        return None
    call = InCall(line.syscall, line.kind, line.fd, "", 0, 0, own=line.own, stack=line.stack)
    return Stuck(row.tid, call, purpose_of(call), 0)


def _kind(one: Call | Line) -> tuple[str, str]:
    return one.syscall, one.kind


def woken_by_threads(profile: ProcessProfile) -> int:
    """So often threads that run no loop wrote to what wakes a loop."""
    loops = profile.loop_threads()
    return sum(
        wakes_in(calls) for tid, calls in profile.calls.items() if tid not in loops and loops
    )


def wakes_in(calls: Iterable[Call]) -> int:
    """How many of them write to what wakes a loop."""
    return sum(call.calls or 0 for call in calls if call.syscall in WRITES and call.kind in _WAKES)
