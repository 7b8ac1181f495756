# SPDX-License-Identifier: Apache-2.0
"""What can be said of requests that wait in greenlets: no thread has a greenlet's stack while it
waits, so nothing tells its line."""

from __future__ import annotations

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
