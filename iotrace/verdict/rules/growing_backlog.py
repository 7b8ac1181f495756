# SPDX-License-Identifier: Apache-2.0
"""Work is given to a pool, or data comes, faster than it is done: all of it waits in memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from iotrace.report.stacks import Frame
from iotrace.verdict.frames import in_library, named, short_name
from iotrace.verdict.memory_growth import growth, is_full_soon
from iotrace.verdict.number_formats import figure, mebibytes, plural
from iotrace.verdict.ongoing_giving import goes_on
from iotrace.verdict.pool_threads import threads_of_pools
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.received_backlog import received_backlog
from iotrace.verdict.rules.rule import Hit, Rule
from iotrace.verdict.stuck import Stuck, stuck_lines
from iotrace.verdict.told_lines import ToldLine, frame_text
from iotrace.vocabulary.calls import LOCKS, READS, WRITES
from iotrace.vocabulary.kinds import PIPE

LEAST_GIVEN = 20
AHEAD = 2.0
"""So many times as much is given as is done. Giving wakes the pool's own thread with a write to a
pipe, and so does a result; a large result takes two."""
LEAST_SEEN = 3
"""Samples or slow calls in which work was being given."""
IDLE_SHARE = 0.1
"""Of a worker's time, that it waits for work at most."""
_OUTPUT = (1, 2)
_SUBMITS = re.compile(r"/(?:concurrent/futures/process|loky/process_executor)\.py:submit$")
_OF_THREADS = {
    "ThreadPoolExecutor": re.compile(r"/concurrent/futures/thread\.py:submit$"),
    "multiprocessing.pool.ThreadPool": re.compile(
        r"/multiprocessing/pool\.py:(?:_guarded_task_generation|(?:apply|map|starmap)_async)$"
    ),
}
"""By the pool's name. imap() takes from its argument in a thread of its own, without a limit."""
_POOL = re.compile(r"/(?:concurrent/futures/process|loky/process_executor)\.py$")


def _given(profile: ProcessProfile) -> Iterator[Hit]:
    grown, grows = growth(profile)
    if not grown:
        return
    yield from _to_threads(profile, grown, grows)
    workers = [one for one in profile.children if _is_worker(one)]
    places, tids = _giving(profile)
    if not workers or places.total() < LEAST_SEEN or any(map(_idles, workers)):
        return
    given = _writes(profile, tids)
    done = sum(_writes(one, one.threads) for one in workers)
    if given < max(LEAST_GIVEN, AHEAD * done):
        return
    come, go = figure(profile.per_second(given)), figure(profile.per_second(done))
    ((place, _),) = places.most_common(1)
    ongoing = goes_on(profile, places, tids, _gives(_SUBMITS))
    yield Hit(
        {
            "given": given,
            "done": done,
            "workers": len(workers),
            "grown_bytes": grown,
            "grows_bytes_per_second": round(grows),
        },
        None,
        severity=_severity(profile, grows, ongoing=ongoing),
        lines=(
            ToldLine(f"{frame_text(place)} -> gives work to the pool: {come} times a second"),
            *_at_work(workers),
        ),
        title=f"Work is submitted to a pool of {len(workers)} processes faster than they do it, "
        f"and waits in memory: {come} tasks a second come, {go} are done, and the process grows "
        f"by {mebibytes(round(grows))} a second"
        if ongoing
        else _kept_title(plural(len(workers), "process"), grows),
        advice="" if ongoing else f"{_KEPT} {BACKLOG.advice}",
    )


def _to_threads(profile: ProcessProfile, grown: int, grows: float) -> Iterator[Hit]:
    """A pool of threads: what is given and done there, no call tells."""
    pools: dict[str, list[Stuck]] = {}
    idle = set[str]()
    for name, one, row in threads_of_pools(profile):
        pools.setdefault(name, []).append(one)
        if row.states_ns.wait.get("lock", 0) >= IDLE_SHARE * row.lifetime_ns:
            idle.add(name)
    for name, threads in pools.items():
        submits = _OF_THREADS.get(name)
        places, tids = _giving(profile, submits)
        if name in idle or submits is None or places.total() < LEAST_SEEN:
            continue
        ongoing = goes_on(profile, places, tids, _gives(submits))
        ((place, seen),) = places.most_common(1)
        count = len(threads)
        yield Hit(
            {
                "pool": name,
                "workers": count,
                "seen_giving": seen,
                "grown_bytes": grown,
                "grows_bytes_per_second": round(grows),
            },
            None,
            severity=_severity(profile, grows, ongoing=ongoing),
            lines=(
                ToldLine(f"{frame_text(place)} -> makes work for the pool, seen {seen} times"),
                *stuck_lines(threads)[:1],
            ),
            title=f"Work is given to a pool of {plural(count, 'thread')} faster than they do it, "
            f"and waits in memory: they are always busy, and the process grows by "
            f"{mebibytes(round(grows))} a second"
            if ongoing
            else _kept_title(plural(count, "thread"), grows),
            advice=_FEWER_AHEAD if ongoing else f"{_KEPT} {_FEWER_AHEAD}",
        )


def _severity(profile: ProcessProfile, grows: float, *, ongoing: bool) -> str:
    """Low where the tasks may have been given all at once, so that their results may be it."""
    if not ongoing:
        return "low"
    return "high" if is_full_soon(profile, grows) else "medium"


def _kept_title(workers: str, grows: float) -> str:
    return (
        f"Memory grows by {mebibytes(round(grows))} a second while a pool of {workers} is always "
        "busy: by results that are kept, or by work that waits for it"
    )


def _stacks(profile: ProcessProfile) -> Iterator[tuple[int, int, Sequence[Frame]]]:
    """(thread, how often, stack) of all that was seen of it."""
    for sample in profile.process.cpu_samples:
        yield sample.tid, sample.samples, sample.stack
    for line in profile.process.lines:
        yield line.tid, line.calls, line.stack


def _is_worker(profile: ProcessProfile) -> bool:
    return any(_is_in(stack, "_process_worker") for _, _, stack in _stacks(profile))


def _is_in(stack: Iterable[Frame], function: str) -> bool:
    return any(_POOL.search(one.file) and short_name(one) == function for one in stack)


def _gives(given: re.Pattern[str]) -> Callable[[Sequence[Frame]], bool]:
    return lambda stack: any(given.search(named(frame)) for frame in stack)


def _giving(
    profile: ProcessProfile, given: re.Pattern[str] | None = _SUBMITS
) -> tuple[Counter[Frame], set[int]]:
    """Where the program's own code submits, or makes what a pool's own thread takes from it, how
    often that was seen, and in which threads."""
    places, tids = Counter[Frame](), set[int]()
    for tid, count, stack in _stacks(profile):
        own = next((one for one in stack if not in_library(one)), None)
        if own is not None and given and _gives(given)(stack):
            places[own] += count
            tids.add(tid)
    return places, tids


def _writes(profile: ProcessProfile, tids: Iterable[int]) -> int:
    """To pipes, by these threads; without what the process prints."""
    written = sum(
        one.calls or 0
        for tid in tids
        for one in profile.calls.get(tid, ())
        if one.syscall in WRITES and one.kind == PIPE
    )
    rows = profile.process.descriptors
    printed = sum(one.calls or 0 for one in rows if one.fd in _OUTPUT and one.kind == PIPE)
    return max(0, written - printed)


def _idles(worker: ProcessProfile) -> bool:
    """Whether it waits for its next piece of work: in a read of the pool's pipe, or for its turn
    to read."""
    idle = sum(
        one.wait_ns
        for rows in worker.calls.values()
        for one in rows
        if (one.syscall in READS and one.kind == PIPE) or one.syscall in LOCKS
    )
    return idle >= IDLE_SHARE * worker.total.lifetime_ns


def _at_work(workers: Sequence[ProcessProfile]) -> tuple[ToldLine, ...]:
    """What one of them does meanwhile."""
    first = workers[0].process
    waits = [one for one in first.lines if one.wait_ns and one.kind != PIPE]
    return waiting_lines(waits, first)[:1]


def _grows(profile: ProcessProfile) -> Iterator[Hit]:
    given = list(_given(profile))
    yield from given or received_backlog(profile)


_KEPT = (
    "If all of the work was given at once, and its results are meant to be kept, nothing is wrong; "
    "to need less memory, use each result when it comes (as_completed, imap) and drop it. Else:"
)
_FEWER_AHEAD = (
    "Let no more wait than keeps the threads busy: a BoundedSemaphore that is taken before each "
    "submit() or in the generator that imap() reads, and released when a result has come; "
    "Executor.map(buffersize=) from Python 3.14; a queue.Queue(maxsize=) with threads of your own. "
    "Elasticsearch: streaming_bulk, or a release whose parallel_bulk has queue_size. imap(), map() "
    "and submit() keep all that they were given in memory."
)

BACKLOG = Rule(
    "IO213",
    "Work or data comes faster than it is handled: memory grows",
    "Let no more wait than keeps the workers busy: take a BoundedSemaphore before submit() and "
    "release it in the future's add_done_callback, or wait(pending, "
    "return_when=FIRST_COMPLETED) from a few per worker on; Executor.map(buffersize=) from Python "
    "3.14. Hand over names of files or keys, and let the worker load the data. Nothing else limits "
    "what an executor keeps.",
    _grows,
)
