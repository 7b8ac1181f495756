# SPDX-License-Identifier: Apache-2.0
"""What can be said of processes in which no rule found anything.

"Nothing wrong was found" is an answer only where work was seen and got done: requests came in and
answers went out. Of anything else it is said what was seen, and how to see more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from iotrace.report.detail import Detail
from iotrace.report.model import Call
from iotrace.verdict.asked_peers import asked_all_along
from iotrace.verdict.called_back import called_back_text
from iotrace.verdict.children_waits import children_text
from iotrace.verdict.classify.confidence import UNKNOWN
from iotrace.verdict.families import families
from iotrace.verdict.greenlets import greenlets_text
from iotrace.verdict.number_formats import duration, plural, share
from iotrace.verdict.one_sided import unanswered_requests
from iotrace.verdict.own_waits import own_wait
from iotrace.verdict.own_work import costliest_text, jobs_text, own_work_text
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.slow_requests import slow_requests
from iotrace.vocabulary.calls import CALLS, WRITES
from iotrace.vocabulary.waits import SUMMARIES, WAITS

LEAST_ANSWERS = 5
"""Fewer tell nothing of how a server does, as with labels (classify/confidence.py)."""
LEFT_UNREAD_NS = 1_000_000_000
"""Data that nobody read for so long is an answer that somebody waits for."""
ALL_ALONG_SHARE = 0.99
"""Of the time traced, asleep for one reason: all along."""
BUSY_SHARE = 0.05
"""Of one CPU: what takes less is idle."""
ITS_OWN_SHARE = 0.9
"""Of the requests: those under way at the ends of the trace may be counted at one end only."""
KEPT_SHARE = 0.1
"""Of the time of a thread that serves, asleep where no work comes from."""
_REASON_OF = {call.name: call.wait for call in CALLS}
_SERVES = ("loop", "reader", "poller")
"""Roles of threads (ThreadStyle) that read what comes."""
_NO_WORK = tuple(reason.name for reason in WAITS if not reason.brings_work)

_WHERE = "The Python lines below say where its threads wait."


def outcomes(profiles: Sequence[ProcessProfile], found_in: Collection[int]) -> dict[int, str]:
    """A sentence by the place of the first process of each family; none where a finding is told.

    A family is a process, its children, and theirs, as far as they were traced. ``found_in``: the
    pids of processes in which something was found.
    """
    return {
        family[0]: _outcome([profiles[place] for place in family])
        for family in families(profiles)
        if not any(profiles[place].process.pid in found_in for place in family)
    }


def _outcome(family: Sequence[ProcessProfile]) -> str:
    left = [
        one.unread_ns
        for profile in family
        for one in profile.connections()
        if (one.unread_ns or 0) >= LEFT_UNREAD_NS
    ]
    if left:
        return (
            "No rule tells what is wrong, but data lies unread on "
            f"{plural(len(left), 'connection')}, on one of them for "
            f"{duration(max(filter(None, left)))}. {_seen(family)}"
        )
    for late in (_kept, slow_requests):
        told = [(text, profile) for profile in family for text in late(profile)]
        if told:
            text, profile = told[0]
            where = _where(profile, family, BUSY_SHARE if late is _kept else 0.0)
            return f"No rule tells what is wrong, but {text} {where}".rstrip()
    if not _works(family):
        if waiting := _clients_wait(family):
            return (
                f"No rule tells what is wrong, but clients wait: {waiting}. {_seen(family)} "
                f"{next(filter(None, (_where(one, [one]) for one in family)), '')}"
            ).rstrip()
        inside = next(filter(None, map(called_back_text, family)), "")
        known = inside or f"{_seen(family)} {_next_step(family)}"
        if not inside and (where := own_work_text(family)):
            return f"No rule found a fault. It accepts no connections. {_seen(family)} {where}"
        return f"No answer yet: {_lacking(family)} {known}"
    if owed := [one for profile in family for one in unanswered_requests(profile)]:
        clients = plural(sum(one.connections for one in owed), "client")
        longest = duration(max(one.silent_ns for one in owed))
        return (
            f"No rule found a fault, but what {clients} sent before has had no answer, on one of "
            f"their connections for {longest} (unless none is due)."
        )
    if not any(map(_takes_requests, family)):
        asked = next(filter(None, map(asked_all_along, family)), "")
        return (
            "No rule found a fault. It serves nobody itself: whether its own work gets done is "
            f"not known. {asked or own_wait(family)}"
        ).rstrip()
    if jobs := jobs_text(family):
        return f"No rule found a fault. How long its jobs take is not known. {jobs}"
    if _answers_overlap(family):
        return (
            "No rule found a fault. How long its requests take is not known: several at once are "
            "on a connection."
        )
    detail = family[0].detail
    known = "" if detail is Detail.FULL else f" by what {detail.value} detail knows"
    return f"Nothing wrong was found{known}."


def _kept(profile: ProcessProfile) -> list[str]:
    """Threads that serve, and sleep for long where no work comes from."""
    texts = []
    for tid, one in profile.threads.items():
        if profile.styles[tid].role not in _SERVES or not (one.reads.ok or one.accepts.ok):
            continue
        reason = max(_NO_WORK, key=lambda name: one.wait_ns[name])
        if reason == "sleep" and profile.is_beside(tid, reason):
            continue
        if one.wait_ns[reason] >= KEPT_SHARE * one.lifetime_ns > 0:
            asleep = f"{share(one.wait_ns[reason], one.lifetime_ns)} of its time"
            calls = [call for call in profile.calls[tid] if _is_for(call, reason)]
            longest = max(calls, key=lambda call: call.wait_ns).syscall if calls else ""
            texts.append(
                f"thread {tid} of {profile.process.name}, which serves, was {asleep} "
                f"{SUMMARIES[reason]}" + (f", longest in {longest}." if longest else ".")
            )
    return texts


def _where(
    profile: ProcessProfile, family: Sequence[ProcessProfile], least_cpu: float = 0.0
) -> str:
    """What to look at where its requests take long; "" if nothing tells. ``family``: those that may
    do its work. ``least_cpu``: as for ``costliest_text``."""
    if greenlets := greenlets_text(profile):
        return greenlets
    if children := children_text(profile):
        return children
    costliest = costliest_text([profile], least_cpu) or costliest_text(family, least_cpu)
    if profile.tasks is not None and profile.tasks.rows:
        return f"The asyncio tasks below say what they wait for. {costliest}".rstrip()
    if costliest:
        return costliest
    return _WHERE if any(line.stack for line in profile.process.lines) else ""


def _is_for(call: Call, reason: str) -> bool:
    """A call that slept for this reason; many are of the descriptor's kind."""
    if not call.wait_ns or call.syscall == "other":
        return False
    known = _REASON_OF.get(call.syscall, reason)
    if known is not None:
        return known == reason
    return call.kind == "file" if reason == "file" else call.syscall in WRITES


def _takes_requests(profile: ProcessProfile) -> bool:
    """It listens or accepts; or is fed through pipes, or by io_uring; or nobody knows. Requests
    that all come from itself are of nobody."""
    sockets, seen = profile.process.sockets, profile.total
    served = sum(one.exchanges for one in profile.process.requests)
    asked = [one for one in profile.process.upstreams if profile.is_own(one.peer)]
    if 0 < ITS_OWN_SHARE * served <= sum(one.calls for one in asked):
        return False
    if sockets is None or not sockets.count or sockets.listening:
        return True
    return bool(seen.accepts.calls or seen.pipe_reads.ok or profile.process.operations)


def _answers_overlap(family: Sequence[ProcessProfile]) -> bool:
    """Whether of no request it is known how long it took, as they overlap on their connections."""
    rows = [one for profile in family for one in profile.process.requests if one.exchanges]
    return bool(rows) and all(one.several_at_once and one.latency_ns is None for one in rows)


def _works(family: Sequence[ProcessProfile]) -> bool:
    """It was seen to take requests and to answer."""
    if any(one.detail is not Detail.FULL for one in family):
        # Light detail sees no answers, sockets detail those of sockets alone; what could not be
        # looked for is said.
        models = (one.process.model for one in family)
        sleeps = sum(
            one.total.reads.calls + sum(loop.sleeps or 0 for loop in one.total.loops)
            for one in family
        )
        return sleeps >= LEAST_ANSWERS and any(one.id != UNKNOWN for one in models if one)
    reads = sum(one.total.reads.ok for one in family)
    writes = sum(one.total.writes.ok for one in family)
    rings = sum(operation.count for one in family for operation in one.process.operations)
    fed = sum(
        one.total.pipe_reads.ok
        for one in family
        if one.process.model and one.process.model.shape == "process pool"
    )
    return min(reads, writes) >= LEAST_ANSWERS or max(rings, fed) >= LEAST_ANSWERS


def _clients_wait(family: Sequence[ProcessProfile]) -> str:
    """For an answer, or to be accepted; "" where nobody does."""
    sockets = [one.process.sockets for one in family]
    pending = max((one.pending or 0 for one in sockets if one), default=0)  # they may share it
    owed = [
        one
        for profile in family
        for one in profile.process.requests
        if (one.oldest_unanswered_ns or 0) >= LEFT_UNREAD_NS
    ]
    told = [f"{plural(pending, 'connection')} to be accepted"] if pending else []
    if owed:
        oldest = max(one.oldest_unanswered_ns or 0 for one in owed)
        requests = plural(sum(one.unanswered for one in owed), "request")
        told.append(f"{requests} without an answer, the oldest for {duration(oldest)}")
    return ", ".join(told)


def _lacking(family: Sequence[ProcessProfile]) -> str:
    reads = sum(one.total.reads.ok for one in family)
    writes = sum(one.total.writes.ok for one in family)
    seen_for = duration(max(one.wall_ns for one in family))
    if reads and not writes:
        return f"in {seen_for} data was read from sockets, and nothing was sent."
    if reads or writes:
        return f"in {seen_for} there were {reads:,} reads from sockets and {writes:,} sends only."
    return f"in {seen_for} no request was seen."


def _seen(family: Sequence[ProcessProfile]) -> str:
    """Where the time of its busiest thread went, of those that serve if there are any."""
    everyone = [
        (profile.styles[tid].role in _SERVES, one.cpu_ns + one.runq_ns, tid, one, profile)
        for profile in family
        for tid, one in profile.threads.items()
    ]
    if not everyone:
        return ""
    *_, tid, one, profile = max(everyone, key=lambda item: item[:2])
    process = profile.process
    who = f"Thread {tid} of {process.name}" if tid else process.name
    if one.cpu_ns >= BUSY_SHARE * one.lifetime_ns > 0:
        return f"{who} was on a CPU for {share(one.cpu_ns, one.lifetime_ns)} of its time."
    reason = max(one.wait_ns, key=lambda name: one.wait_ns[name])
    if not one.wait_ns[reason]:
        return ""
    names = sorted({loop.multiplexer for loop in one.loops}) or ["poll"]
    where = SUMMARIES[reason].format(poll=" and ".join(names))
    all_along = one.wait_ns[reason] >= ALL_ALONG_SHARE * one.lifetime_ns
    how_long = (
        "all along" if all_along else f"{share(one.wait_ns[reason], one.lifetime_ns)} of its time"
    )
    return f"{who} was {how_long} {where}."


def _next_step(family: Sequence[ProcessProfile]) -> str:
    if sum(one.total.reads.ok for one in family) >= LEAST_ANSWERS:
        return _WHERE
    if any(one.listening_ports() or one.total.accepts.wait_ns for one in family):
        return "Send it traffic while it is traced, or trace the process that has the traffic."
    return "Trace it while it works, for longer (-d 60), or trace the process that has the work."
