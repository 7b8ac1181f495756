# SPDX-License-Identifier: Apache-2.0
"""Threads that serve, and sleep for long where no work comes from."""

from __future__ import annotations

from iotrace.report.model import Call
from iotrace.verdict.number_formats import share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.time_places import TakesLong
from iotrace.verdict.upstreams import is_client
from iotrace.vocabulary.calls import CALLS, WRITES
from iotrace.vocabulary.waits import SUMMARIES, WAITS

KEPT_SHARE = 0.1
"""Of the time of a thread that serves, asleep where no work comes from."""
SERVES = ("loop", "reader", "poller")
"""Roles of threads (ThreadStyle) that read what comes."""
_REASON_OF = {call.name: call.wait for call in CALLS}
_NO_WORK = tuple(reason.name for reason in WAITS if not reason.brings_work)


def kept_threads(profile: ProcessProfile) -> list[TakesLong]:
    """Threads that serve, and sleep for long where no work comes from; none of a client, which
    serves nobody."""
    found: list[TakesLong] = []
    if is_client(profile):
        return found
    for tid, one in profile.threads.items():
        if profile.styles[tid].role not in SERVES or not (one.reads.ok or one.accepts.ok):
            continue
        reason = max(_NO_WORK, key=lambda name: one.wait_ns[name])
        if reason == "sleep" and profile.is_beside(tid, reason):
            continue
        if one.wait_ns[reason] >= KEPT_SHARE * one.lifetime_ns > 0:
            asleep = f"{share(one.wait_ns[reason], one.lifetime_ns)} of its time"
            calls = [call for call in profile.calls[tid] if _is_for(call, reason)]
            longest = max(calls, key=lambda call: call.wait_ns).syscall if calls else ""
            found.append(
                TakesLong(
                    f"thread {tid} of {profile.process.name}, which serves, was {asleep} "
                    f"{SUMMARIES[reason]}" + (f", longest in {longest}" if longest else "")
                )
            )
    return found


def _is_for(call: Call, reason: str) -> bool:
    """A call that slept for this reason; many are of the descriptor's kind."""
    if not call.wait_ns or call.syscall == "other":
        return False
    known = _REASON_OF.get(call.syscall, reason)
    if known is not None:
        return known == reason
    return call.kind == "file" if reason == "file" else call.syscall in WRITES
