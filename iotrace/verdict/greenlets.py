# SPDX-License-Identifier: Apache-2.0
"""What can be said of requests that wait in greenlets: no thread has a greenlet's stack while it
waits, so nothing tells its line."""

from __future__ import annotations

from collections.abc import Iterable

from iotrace.report.stacks import Frame
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stack import Stack, stack_of

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


REAL_LOCK = (
    "The lock is none of the green ones: it was made before the standard library was patched, or "
    "in C, as are those of multiprocessing (its locks, events and queues: wait for them in a real "
    "thread, gevent's threadpool or eventlet.tpool). A greenlet that has it never runs again to "
    "give it back, once another one of the same thread waits for it. Patch before all other "
    "imports (gevent.monkey.patch_all(), eventlet.monkey_patch()); gunicorn with --preload imports "
    "the application before its workers patch: patch in gunicorn.conf.py, or do not preload."
)
