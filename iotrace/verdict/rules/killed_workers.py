# SPDX-License-Identifier: Apache-2.0
"""Workers that are killed: before they have served anybody, or in the midst of it; and whatever
the kernel kills for want of memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from iotrace.verdict.classify.process_tree import forks
from iotrace.verdict.cpu_samples import busy_lines
from iotrace.verdict.family_evidence import REPLACED
from iotrace.verdict.number_formats import duration, mebibytes, plural
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rank, Rule, always
from iotrace.verdict.told_lines import ToldLine

LEAST_KILLED = 2
"""One that is killed may be somebody's doing."""
BUSY_SHARE = 0.5
"""Of its life that a worker wants a CPU: then it is told what it computes, else where it waits."""
_KILLS = ("SIGABRT", "SIGKILL", "SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE")
"""Whoever ends a worker in peace sends SIGTERM, SIGINT, SIGQUIT or SIGHUP."""
_BY_OTHERS = frozenset(("SIGABRT", "SIGKILL"))
"""abort(3) sends SIGABRT as well, and its text is in the log."""


def _killed(profile: ProcessProfile) -> Iterator[Hit]:
    hit = _for_memory(profile)
    if hit:
        yield hit
    for other in _killed_workers(profile):
        if hit is None or other.evidence["signals"] != hit.evidence["signals"]:
            yield other


def _for_memory(profile: ProcessProfile) -> Hit | None:
    """The kernel counts whom it kills in a control group, so one is enough to be told, whatever it
    is; that it was a child, its end by SIGKILL tells."""
    limits = profile.process.limits
    kills = limits.oom_kills if limits else None
    victims = [one for one in profile.children if _is_victim(one)]
    if not limits or not kills or not victims:
        return None
    names = {one.process.name for one in victims}
    begun = forks([one for one in profile.children if one.process.name in names])
    return Hit(
        {
            "processes_killed": kills,
            "signals": "SIGKILL",
            "begun": begun,
            "cgroup": limits.memory_group,
            "memory_limit_bytes": limits.memory_limit_bytes or 0,
        },
        min(profile.wall_ns, sum(one.lived_ns for one in victims)),
        severity="high",
        lines=_lines(victims),
        title=f"The kernel kills processes for want of memory: {plural(kills, 'process')} of the "
        f"control group {limits.memory_group}, which may have "
        f"{mebibytes(limits.memory_limit_bytes)}, by SIGKILL in {duration(profile.wall_ns)}"
        + (f"; {begun} like {'it' if kills == 1 else 'them'} were started" if begun else ""),
        advice=_MEMORY,
    )


def _is_victim(one: ProcessProfile) -> bool:
    """By SIGKILL; of those that were added up, all of them."""
    kills = sum(row.count for row in one.process.signals if row.signal == "SIGKILL")
    return "SIGKILL" in _signals(one) and kills >= one.process.count


def _killed_workers(profile: ProcessProfile) -> Iterator[Hit]:
    workers = _workers(profile)
    added_up = [one for one in profile.children if workers and _all_killed(one)]
    killed = [*(one for one in workers if _signals(one)), *added_up]
    number = sum(one.process.count for one in killed)
    successors = forks([*workers, *added_up])
    if number < LEAST_KILLED or successors < LEAST_KILLED:
        return
    served = [one for one in killed if _has_served(one)]
    born = [one for one in killed if forks([one])]
    young = bool(born) and not served
    whole = [one for one in born or killed if one.process.pid] or added_up
    lives = sum(one.process.count for one in whole)
    life_ns = sum(one.lived_ns for one in whole) // max(1, lives)
    signals = list(dict.fromkeys(name for one in killed for name in _signals(one)))
    nobody = not any(_has_served(one) for one in profile.children)
    by = " and ".join(signals)
    when = (
        f"{duration(life_ns)} after their start, before any of them has served"
        if young
        else f"after {duration(life_ns)}, {_number(served)} of them had served"
    )
    yield Hit(
        {
            REPLACED: number,
            "signals": by,
            "begun": successors,
            "mean_life_ns": life_ns,
            "had_served": _number(served),
        },
        profile.wall_ns if nobody else min(profile.wall_ns, sum(one.lived_ns for one in killed)),
        severity="high",
        lines=_lines(killed),
        title=f"Workers are killed{' while they start' if young else ''}, again and again: "
        f"{plural(number, 'worker')} ended by {by} {when}; {successors} were started in "
        f"{duration(profile.wall_ns)}" + (", and nobody serves" if nobody else ""),
        advice="" if _BY_OTHERS.intersection(signals) else _CRASHES,
    )


def _workers(parent: ProcessProfile) -> list[ProcessProfile]:
    """Children with a listener of their parent's or of a sibling's: they accept where those do."""
    listeners = Counter[str]()
    for one in (parent, *parent.children):
        listeners.update(_listening(one))
    return [
        one
        for one in parent.children
        if one.process.pid and any(listeners[address] > 1 for address in _listening(one))
    ]


def _listening(one: ProcessProfile) -> frozenset[str]:
    return frozenset(one.process.sockets.listening if one.process.sockets else ())


def _all_killed(one: ProcessProfile) -> bool:
    """Ended children that were added up, of whose listeners nothing tells any more: where each of
    them was killed, they are no helpers that come to their end."""
    counts = (row.count for row in one.process.signals if row.signal in _KILLS)
    return not one.process.pid and max(counts, default=0) >= one.process.count


def _number(served: Sequence[ProcessProfile]) -> int | str:
    """Of how many it is known."""
    known = sum(1 for one in served if one.process.pid)
    return known if known == len(served) else "some"


def _signals(one: ProcessProfile) -> list[str]:
    if one.process.pid and one.process.ended_ns is None:
        return []
    got = {row.signal for row in one.process.signals}
    return [name for name in _KILLS if name in got]


def _has_served(one: ProcessProfile) -> bool:
    return any(row.exchanges or row.unanswered for row in one.process.requests)


def _lines(killed: Sequence[ProcessProfile]) -> tuple[ToldLine, ...]:
    """What the one that lived longest did."""
    one = max(killed, key=lambda other: (other.process.pid > 0, other.total.lifetime_ns))
    busy = busy_lines(one.process)
    if busy and one.total.wants_cpu_ns >= BUSY_SHARE * one.total.lifetime_ns:
        return busy
    return waiting_lines(one.process.lines, one.process) or busy


_CRASHES = (
    "They crash in native code: have the place written (python -X faulthandler, PYTHONFAULTHANDLER"
    "=1), look at the core dump (coredumpctl) and at the versions of the modules in C."
)

_MEMORY = (
    "Raise the memory limit of the control group (memory.max; Kubernetes: resources.limits.memory; "
    "docker run --memory), or hold less: fewer workers; no whole files and results; a bound for "
    "caches and queues and for what a consumer takes ahead (prefetch; celery takes all tasks that "
    "have an eta or a countdown and keeps them until they are due: keep those in a table, and let "
    "celery beat start what is due). Watch how it grows (memory.current, memray, tracemalloc). "
    "What is started again without that ends in the same way."
)

KILLS = Rule(
    "IO192",
    "Workers are killed again and again",
    "Whoever watches them takes them for hung: they do not report within its time-out (gunicorn "
    "sends SIGABRT, then SIGKILL: --timeout counts from the start on, so imports and models that "
    "are loaded count as well; uvicorn --timeout-worker-healthcheck; uWSGI: harakiri), or the OOM "
    "killer (dmesg, memory.events of the control group). Do at the start only what serving needs, "
    "load what all share before the fork (gunicorn --preload), and make the time-out longer than "
    "the start takes on a busy machine; a request that takes so long belongs to a job queue.",
    _killed,
    explains={"IO166": always},
    rank=Rank.STUCK,
    shared="cgroup",
)
