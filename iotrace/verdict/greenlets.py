# SPDX-License-Identifier: Apache-2.0
"""What can be said of requests that wait in greenlets: no thread has a greenlet's stack while it
waits, so nothing tells its line."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.report.stacks import Frame
from iotrace.verdict.cpu_samples import LEAST_SAMPLES
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stack import Stack, in_green_thread, stack_of

WHOLE_DEPTH = 32
"""Stacks are kept so deep: of a shorter one the outermost frame is known."""
_STARTS = ("<module>", "_run_module_as_main")
"""The outermost function of what an interpreter runs in its main thread."""

_LOOKS = {
    Stack.GEVENT: "gevent.util.print_run_info(), called in the process, prints where each waits.",
    Stack.EVENTLET: "eventlet.debug.format_hub_timers(), called in the process, prints what sleeps "
    "(after eventlet.debug.hub_timer_stacks(True)).",
}


def greenlets_text(profile: ProcessProfile) -> str:
    """Sentences on what its greenlets may wait for, where it is not for one peer (IO165); "" where
    it runs none in its loop."""
    stacks = (stack_of(profile, tid) for tid in profile.loop_threads())
    looks = next((_LOOKS[stack] for stack in stacks if stack in _LOOKS), "")
    if not looks:
        return ""
    return (
        "Its greenlets wait meanwhile, mostly not for a service that they call: for a time to be "
        "over (a patched time.sleep, pauses between retries), for each other (locks, "
        "queues, events), or for news, as a long poll does. A greenlet that waits is on no thread, "
        f"so its line is not seen here: {looks}"
    )


def in_greenlet(stack: Iterable[Frame]) -> bool:
    """Whether gevent or eventlet has called what is on the stack, in no real thread of theirs."""
    files = [frame.file for frame in stack]
    return any(part in file for file in files for part in ("/gevent/", "/eventlet/")) and not any(
        file.endswith(("/gevent/threadpool.py", "/eventlet/tpool.py")) for file in files
    )


def keeps_the_hub(profile: ProcessProfile, tid: int) -> bool:
    """Whether the main thread computes in a greenlet, and its hub has not run once.

    A greenlet has a stack of its own, which does not begin with the program's module; so has what
    is called at the interpreter's exit, but hardly for as long. Interpreters that other programs
    embed call functions so, too.
    """
    if tid != profile.process.pid or profile.threads[tid].multiplexers:
        return False
    rows = [one for one in profile.process.cpu_samples if one.tid == tid and one.stack]
    if sum(one.samples for one in rows) < LEAST_SAMPLES:
        return False
    if in_green_thread(profile, tid):
        return True
    roots = [one.stack[-1] for one in rows if len(one.stack) < WHOLE_DEPTH]
    command = next(iter(profile.process.cmdline), "").rsplit("/", 1)[-1]
    return (
        command.startswith("python")
        and len(roots) == len(rows)
        and not any(one.function in _STARTS or one.file.endswith("/threading.py") for one in roots)
    )


NEVER_YIELDS = (
    "A greenlet never yields, most likely: its thread takes all the CPU time that it gets, the hub "
    "(gevent, eventlet) did not run once, and all other greenlets of that thread wait"
)
YIELD = (
    "Greenlets take turns only where one waits in a function that was patched or is the hub's own. "
    "What goes round in a loop has to wait for what it looks for (queue.get(), event.wait()) in "
    "place of looking again, or call gevent.sleep() (eventlet.sleep()) in each turn, not only in "
    "those that find something. "
)
REAL_LOCK = (
    "The lock is none of the green ones: it was made before the standard library was patched, or "
    "in C, as are those of multiprocessing (its locks, events and queues: wait for them in a real "
    "thread, gevent's threadpool or eventlet.tpool). A greenlet that has it never runs again to "
    "give it back, once another one of the same thread waits for it. Patch before all other "
    "imports (gevent.monkey.patch_all(), eventlet.monkey_patch()); gunicorn with --preload imports "
    "the application before its workers patch: patch in gunicorn.conf.py, or do not preload."
)
