# SPDX-License-Identifier: Apache-2.0
"""A native call that sleeps and keeps the GIL: all of Python waits, and no CPU is used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from iotrace.report.stacks import Line
from iotrace.verdict.cpu_samples import faulting_lines
from iotrace.verdict.frames import named
from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.major_faults import memory_is_short
from iotrace.verdict.rules.rule import QUEUES, Hit, Rank, Rule, always
from iotrace.vocabulary.calls import FAMILIES, LOCKS
from iotrace.vocabulary.kinds import GIL_KINDS, Kind

LEAST_NS = 100_000_000
LEAST_SHARE = 0.05
"""Of the trace, that one thread waits for the GIL."""
MOST_CPU_SHARE = 0.5
"""Of that wait: with less time on CPUs and in run queues than that, who has the GIL sleeps."""
LEAST_CALL_NS = 20_000_000
"""Of the holder's longest call: a thread that waits asks for the GIL every 5 ms."""
NEAREST = 0.5
"""Of the wait, that the holder's calls take at least."""
MOST_ALONE = 1.05
"""Of the trace, that they take at most: one thread has the GIL at a time, so that calls of several
threads which add up to more were not made with it."""


def _asleep(profile: ProcessProfile) -> Iterator[Hit]:
    waits: dict[int, int] = {}
    for call in profile.process.calls:
        if call.syscall == "futex" and call.kind in GIL_KINDS:
            waits[call.tid] = waits.get(call.tid, 0) + call.wait_ns
    if not waits:
        return
    worst = max(waits, key=lambda tid: waits[tid])
    # Threads that have ended are one row: they have waited at the same time.
    waited = min(waits[worst], profile.wall_ns)
    computed = profile.total.cpu_ns
    if waited < max(LEAST_NS, LEAST_SHARE * profile.wall_ns) or computed > MOST_CPU_SHARE * waited:
        return
    faulted = profile.total.wait_ns["fault"]
    if NEAREST * waited <= faulted <= MOST_ALONE * profile.wall_ns:
        yield _faulting(profile, worst, waited)
        return
    if computed + profile.total.runq_ns > MOST_CPU_SHARE * waited:
        # Whoever has the GIL may be without a CPU, unless its own call was seen to give it back.
        holder = _holder(profile, worst, waited, seen_to=True)
        if holder is not None:
            yield _hit(profile, holder, waits, worst)
        return
    holder = _holder(profile, worst, waited)
    if holder is None:
        yield from _embedding(profile, worst, waited)
        return
    yield _hit(profile, holder, waits, worst)


def _hit(profile: ProcessProfile, holder: Line, waits: Mapping[int, int], worst: int) -> Hit:
    waited = min(waits[worst], profile.wall_ns)
    waiting = [
        one for one in profile.process.lines if one.syscall == "futex" and one.kind in GIL_KINDS
    ]
    starts = _STARTS.search(named(holder.stack[0])) is not None
    does = "starting a child process" if starts else f"asleep in {holder.syscall}"
    return Hit(
        {
            "threads_waiting": sum(1 for wait in waits.values() if wait >= LEAST_NS),
            "waited_ns": waited,
            "longest_ns": holder.max_ns,
            "cpu_of_the_process_ns": profile.total.cpu_ns,
            "holder": f"thread {holder.tid}",
            "holder_sleeps_in": holder.syscall,
        },
        waited,
        worst or None,
        severity="high",
        lines=(
            *waiting_lines([holder], profile.process),
            *waiting_lines(waiting, profile.process),
        )[:3],
        title=f"A native call sleeps and keeps Python's GIL for up to {duration(holder.max_ns)}: "
        f"thread {holder.tid}, {does} at {holder.own_stack[0].place}",
        advice=_CHILDREN if starts else "",
    )


def _faulting(profile: ProcessProfile, waiting: int, waited_ns: int) -> Hit:
    """Who has the GIL sleeps in no call: it touches memory that is not there (any more)."""
    short = memory_is_short(profile.process)
    why = ", ".join(filter(None, (short.swapped, short.at_the_limit))) if short else ""
    return Hit(
        {
            "waited_ns": waited_ns,
            "asleep_in_page_faults_ns": profile.total.wait_ns["fault"],
            "major_page_faults": profile.process.major_faults or 0,
            "cpu_of_the_process_ns": profile.total.cpu_ns,
            **(short.evidence if short else {}),
        },
        waited_ns,
        waiting or None,
        severity="high",
        lines=faulting_lines(profile.process),
        title="A thread sleeps in page faults and keeps Python's GIL: all other threads wait until "
        f"the page is read from storage{f' ({why})' if why else ''}",
        advice=short.advice
        if short
        else "A mapped file (mmap, numpy.memmap, LMDB, an index) is not in memory, and a page "
        "fault cannot let go of the GIL: read the file once before serving (MAP_POPULATE, "
        "madvise(MADV_WILLNEED)), keep it on a local disk, read it with pread in a thread (that "
        "lets go of the GIL), or look things up in a process of its own.",
    )


def _embedding(profile: ProcessProfile, waiting: int, waited_ns: int) -> Iterator[Hit]:
    """A program that has Python in it sleeps in its own code, and has not let go of the GIL: of the
    threads that end such waits one alone has no Python on its stack."""
    wakers = {one.tid for one in profile.process.wakes if one.kind == Kind.GIL.label} - {waiting}
    with_stack = {one.tid for one in profile.process.lines}
    sleeping = [
        call
        for tid in wakers - with_stack
        for call in profile.calls.get(tid, ())
        if call.syscall not in LOCKS
        and call.wait_ns >= max(NEAREST * waited_ns, LEAST_CALL_NS * (call.calls or 1))
    ]
    if len({call.tid for call in sleeping}) != 1:
        return
    holder = max(sleeping, key=lambda call: call.wait_ns)
    rows = [
        one for one in profile.process.lines if one.syscall == "futex" and one.kind in GIL_KINDS
    ]
    yield Hit(
        {
            "waited_ns": waited_ns,
            "cpu_of_the_process_ns": profile.total.cpu_ns,
            "holder": f"thread {holder.tid}",
            "holder_sleeps_in": holder.syscall,
        },
        waited_ns,
        waiting or None,
        severity="high",
        lines=waiting_lines(rows, profile.process),
        title=f"Python's GIL is kept by a thread that sleeps: thread {holder.tid} of "
        f"{profile.process.name} waits in {holder.syscall}, outside of Python, and does not let go "
        "of it; the program's other threads wait for it",
        advice="The program that Python runs in (an application server, a plug-in) waits for work "
        "with the GIL: threads that the application has started run only while it serves. uWSGI: "
        "enable-threads = true (or threads = N). Elsewhere: Py_BEGIN_ALLOW_THREADS around what "
        "waits; or start the work in a process of its own.",
    )


_STARTS = re.compile(r"/subprocess\.py:_execute_child$|/multiprocessing/popen_\w+\.py:_launch$")
_CHILDREN = (
    "vfork returns once the child has called exec, and fork once all of the process's memory map "
    "is copied; Python keeps the GIL meanwhile. Have the program that is started on a local disk, "
    "do without preexec_fn, or start it from a small process of its own (multiprocessing's "
    "forkserver)."
)


def _holder(
    profile: ProcessProfile, waiting: int, waited_ns: int, *, seen_to: bool = False
) -> Line | None:
    """The slow calls of another thread that took about as long as the waits; ``seen_to``: only if
    it was seen to end such a wait right after."""
    found = [
        one
        for one in profile.process.lines
        if one.own_stack
        and one.syscall not in LOCKS | frozenset(FAMILIES)
        and one.tid != waiting
        and one.max_ns >= LEAST_CALL_NS
        and NEAREST * waited_ns <= one.total_ns <= MOST_ALONE * profile.wall_ns
    ]
    released = {
        (one.waker_stack[0].file, one.waker_stack[0].function)
        for one in profile.process.wakes
        if one.kind in GIL_KINDS and one.waker_stack
    }
    found.sort(key=lambda one: abs(one.total_ns - waited_ns))
    woke = [one for one in found if (one.stack[0].file, one.stack[0].function) in released]
    return next(iter(woke if seen_to else woke or found), None)


ASLEEP = Rule(
    "IO145",
    "Python's GIL is kept by a native call that sleeps",
    "The call must let go of the GIL while it waits: ctypes.CDLL in place of PyDLL, "
    "Py_BEGIN_ALLOW_THREADS in an extension (Cython: with nogil). Until then make it in a process "
    "of its own.",
    _asleep,
    explains={"IO103": always, "IO113": always, "IO134": always, "IO146": always, **QUEUES},
    rank=Rank.STUCK,
)  # fmt: skip
