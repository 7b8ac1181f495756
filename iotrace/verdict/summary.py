# SPDX-License-Identifier: Apache-2.0
"""One sentence on where a process's time goes: that of the threads that do its work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from iotrace.verdict.number_formats import duration, plural, possessive, share
from iotrace.verdict.pool_threads import idle_ns, idle_tids
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.thread_activity import (
    Activity,
    activity_of,
    polled_alone,
    polled_within_iterations,
)
from iotrace.vocabulary.waits import BLOCKS_A_LOOP, SUMMARIES, WAITS

MENTIONED_SHARE = 0.005
"""What took less of the time than this is left out."""
MOST_PARTS = 4
IDLE_SHARE = 0.98
"""Of its time, asleep: a thread that does no I/O either has had nothing to do."""


def sentence(profile: ProcessProfile) -> str:
    """ "Of its 10 s: 53 % asleep in epoll_wait with nothing ready, 31 % computing, ..."."""
    working = _working(profile)
    seen, nested = _together(profile, working), _nested(profile, working)
    in_pools = idle_tids(profile)
    idle = [
        _without_work(one) if tid in in_pools else one
        for tid, one in profile.threads.items()
        if tid not in working
    ]
    if not idle:
        whose = _all_told(seen.lifetime_ns, seen.threads, "thread")
        return f"Of {whose}: {_listed([(seen, nested)])}."
    whose = _whose(profile, working, seen)
    return f"Of {whose}: {_listed([(seen, nested)])}. {_idle(idle)}"


def sentence_of_workers(profiles: Sequence[ProcessProfile]) -> str:
    """The same for like processes together."""
    all_working = [(profile, _working(profile)) for profile in profiles]
    seen = [(_together(*working), _nested(*working)) for working in all_working]
    whose = _all_told(sum(one.lifetime_ns for one, _ in seen), len(profiles), "worker")
    return f"Of {whose}: {_listed(seen)}."


def _all_told(lifetime_ns: int, number: int, what: str) -> str:
    """ "its 10 s", "the 6.23 s of its 1,949 threads together"."""
    if number == 1:
        return f"its {'' if what == 'thread' else f'{possessive(what)} '}{duration(lifetime_ns)}"
    return f"the {duration(lifetime_ns)} of its {plural(number, what)} together"


def _working(profile: ProcessProfile) -> frozenset[int]:
    """Threads that do I/O or take CPU time; all, if none does."""
    working = {
        tid
        for tid, one in profile.threads.items()
        if profile.styles[tid].role in ("loop", "reader", "poller")
        or one.asleep_ns < IDLE_SHARE * one.lifetime_ns
    }
    return frozenset(working or profile.threads)


def _together(profile: ProcessProfile, tids: Collection[int]) -> Activity:
    process = profile.process
    seen = profile.total
    if len(tids) != len(profile.threads):
        seen = activity_of(
            (row for row in process.threads if row.tid in tids),
            (),
            (row for row in process.loops if row.tid in tids),
        )
    idle = Counter(seen.idle_ns)
    for tid in profile.loop_threads().keys() & set(tids):
        # A loop that waits anywhere but in its multiplexer is blocked, whoever waits for it.
        blocked = profile.threads[tid].idle_ns
        idle.subtract({name: blocked[name] for name in BLOCKS_A_LOOP if name in blocked})
    in_pools = idle_ns(profile) - sum(
        profile.threads[tid].wait_ns["lock"]
        for tid in idle_tids(profile) & profile.threads.keys() - tids
    )
    idle["lock"] = max(idle["lock"], min(in_pools, seen.wait_ns["lock"]))
    return replace(seen, idle_ns=idle)


def _without_work(one: Activity) -> Activity:
    """A thread of a pool that has only waited for work: that brings no request either."""
    return replace(one, idle_ns={**one.idle_ns, "lock": one.wait_ns["lock"]})


def _nested(profile: ProcessProfile, tids: Collection[int]) -> int:
    return sum(polled_within_iterations(profile.threads[tid], profile.calls[tid]) for tid in tids)


def _whose(profile: ProcessProfile, working: Collection[int], seen: Activity) -> str:
    lifetime = duration(seen.lifetime_ns)
    if len(working) != 1 or seen.threads > 1:
        return f"the {lifetime} of the {plural(seen.threads, 'thread')} at work"
    (tid,) = working
    role = "event loop" if profile.styles[tid].role == "loop" else "working thread"
    return f"its {possessive(role)} {lifetime}"


def _idle(idle: Sequence[Activity]) -> str:
    """ "32 more threads only waited, asleep in locks."."""
    count = sum(one.threads for one in idle)
    number = plural(count, "more thread") if count == 1 else f"{count:,} more threads"
    if all(sum(one.idle_ns.values()) >= IDLE_SHARE * one.asleep_ns for one in idle):
        return f"{number} had no request in hand."
    groups: dict[str, list[Activity]] = {}
    for one in idle:
        groups.setdefault(_main_wait(one), []).append(one)
    if len(groups) == 1:
        return f"{number} only waited, {next(iter(groups))}."
    counts = {text: sum(one.threads for one in group) for text, group in groups.items()}
    listed = sorted(counts.items(), key=lambda item: -item[1])
    return f"{number} only waited: {', '.join(f'{some:,} {text}' for text, some in listed)}."


def _main_wait(one: Activity) -> str:
    """ "asleep in locks": what it has slept in most."""
    main = max(one.wait_ns, key=lambda name: one.wait_ns[name])
    return SUMMARIES[main].format(poll=_names([loop.multiplexer for loop in one.loops]))


def _shares(seen: Activity, nested: int) -> dict[str, int]:
    # A poll within an iteration brings no work, whether a request is in hand or not.
    idle = dict(seen.idle_ns)
    idle["poll"] = max(0, min(idle.get("poll", 0), seen.wait_ns["poll"] - nested))
    polled = min(max(nested, polled_alone(seen)), seen.wait_ns["poll"] - idle["poll"])
    multiplexers = [loop.multiplexer for loop in seen.multiplexers if loop.wait_ns]
    return {
        "on a CPU": seen.unsplit_cpu_ns,
        "computing": seen.user_ns,
        "in the kernel": seen.kernel_ns,
        "copying received data": seen.copy_ns,
        "ready but without a CPU": seen.runq_ns,
        "asleep in polls of one descriptor": polled,
        "idle, with no request in hand": sum(idle.values()),
        **{
            reason.summary.format(poll=_names(multiplexers)): seen.wait_ns[reason.name]
            - (polled if reason.name == "poll" else 0)
            - idle.get(reason.name, 0)
            for reason in WAITS
        },
    }


def _names(multiplexers: Collection[str]) -> str:
    return " and ".join(sorted(set(multiplexers))) or "poll"


def _listed(all_seen: Sequence[tuple[Activity, int]]) -> str:
    """``all_seen``: each with its time in polls within iterations."""
    total = sum(seen.lifetime_ns for seen, _ in all_seen)
    shares: Mapping[str, int] = sum(
        (Counter(_shares(seen, nested)) for seen, nested in all_seen), Counter[str]()
    )
    large = sorted(shares.items(), key=lambda item: -item[1])
    kept = [(text, ns) for text, ns in large if ns >= MENTIONED_SHARE * total][:MOST_PARTS]
    return ", ".join(f"{share(ns, total)} {text}" for text, ns in kept) or "nothing was seen"
