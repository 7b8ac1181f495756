# SPDX-License-Identifier: Apache-2.0
"""How the threads of one process share its work, and the label that this gives it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from iotrace.report.detail import Detail
from iotrace.report.model import Model
from iotrace.verdict.classify.confidence import LEAST, confidence, not_enough
from iotrace.verdict.classify.thread_model import ASLEEP_SHARE, MULTIPLEXED
from iotrace.verdict.classify.thread_style import ThreadStyle
from iotrace.verdict.number_formats import plural, share
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.stack import in_pool
from iotrace.verdict.thread_activity import Activity, family_of

HELPER_CPU_SHARE = 0.02
"""Threads beside an event loop that take at least this share of the CPU time are its pool."""
BIRTHS_PER_CONNECTION = 0.5
"""As many threads were born per connection, at least, where each connection has its own."""
FEWEST_BIRTHS = 3
FEWEST_LOOPS = 3
"""As many event loops with one connection each, at least, are threads of their connections."""
MIXED_SHARE = 0.2
"""Share of the reads that a second model needs for the process to be called mixed."""

IO_NAMES = {
    "blocking": "blocking I/O",
    "nonblocking": "non-blocking polling",
    "select": "select",
    "poll": "poll",
    "epoll": "epoll (level-triggered)",
    "epoll-et": "epoll (edge-triggered)",
    "signal": "signal-driven I/O (SIGIO)",
    "async-io": "asynchronous I/O (io_uring)",
}


def process_model(profile: ProcessProfile) -> Model:
    """What one process is, its children aside."""
    working = {tid: style for tid, style in profile.styles.items() if style.id}
    if not working:
        return not_enough((*_waiting(profile.total), *_not_seen(profile)))
    shape, title, model_id, chosen = _shape(profile, working)
    samples = sum(style.samples for style in chosen)
    agreement = sum(style.agreement * style.samples for style in chosen) / max(1, samples)
    sure = confidence(agreement, samples)
    if sure < LEAST:
        seen = f"it looks like: {title}; operations that tell: {samples:,}"
        why = () if profile.detail is Detail.FULL else _evidence(chosen)
        return not_enough((seen, *why, *_waiting(profile.total), *_not_seen(profile)), sure)
    evidence = (*_evidence(chosen), *_idle_beside(profile, shape), *_not_seen(profile))
    return Model(model_id, title, sure, evidence, shape)


def _idle_beside(profile: ProcessProfile, shape: str) -> tuple[str, ...]:
    """The threads beside the one that does it all."""
    others = profile.total.threads - 1
    if shape != "single thread" or others <= 0:
        return ()
    which = "1 more thread does" if others == 1 else f"{others:,} more threads do"
    return (f"{which} no I/O of this kind",)


def io_name(style: ThreadStyle) -> str:
    """ "blocking I/O with timeouts"."""
    return IO_NAMES[style.id] + (" with timeouts" if style.timeouts else "")


def _shape(
    profile: ProcessProfile, working: dict[int, ThreadStyle]
) -> tuple[str, str, str, list[ThreadStyle]]:
    """(shape, title, model id, the styles that speak for it)."""
    loops = {tid: style for tid, style in working.items() if style.role == "loop"}
    readers = {tid: style for tid, style in working.items() if style.role in ("reader", "poller")}
    if loops:
        return _event_loop(profile, *_that_serve(profile, loops, readers))
    acceptors = [style for style in working.values() if style.role == "acceptor"]
    from_sockets = {
        tid: style for tid, style in readers.items() if profile.threads[tid].reads.calls
    }
    readers = from_sockets or readers
    accepting = [tid for tid in readers if profile.threads[tid].accepts.calls]
    if len(accepting) == 1 and len(readers) > 1:
        acceptors = [readers.pop(accepting[0])]
    elif accepting:
        # They accept themselves; who else waits, waits for something else.
        acceptors = []
    main = _most_active(readers.values() or acceptors)
    if not readers or (len(readers) == 1 and not acceptors and _births(profile) < FEWEST_BIRTHS):
        return "single thread", f"single thread, {io_name(main)}", main.id, [main]
    chosen = list(readers.values())
    front = _multiplexer_of(profile, acceptors)
    if _only_asks(profile):
        return (
            "threads",
            f"{plural(len(readers), 'thread')} that ask others, {io_name(main)}",
            main.id,
            chosen,
        )
    pooled = in_pool(profile, readers)
    if not pooled and _thread_per_connection(profile, readers, acceptors):
        return "thread per connection", f"thread per connection, {io_name(main)}", main.id, chosen
    if acceptors or pooled or _idle_in_locks(profile, readers):
        behind = f" behind an acceptor{front}" if acceptors else ""
        title = f"thread pool{behind}, {io_name(main)}"
        return "thread pool", title, main.id, chosen
    return (
        "threads",
        f"{plural(len(readers), 'thread')} that accept and serve, {io_name(main)}",
        main.id,
        chosen,
    )


def _that_serve(
    profile: ProcessProfile, loops: dict[int, ThreadStyle], readers: dict[int, ThreadStyle]
) -> tuple[list[ThreadStyle], dict[int, ThreadStyle]]:
    """Where an event loop has read requests, threads that have read none do not serve: those of its
    pool ask others, or one watches the pipes of child processes. Of the loops those that have read
    anything are kept."""
    seen = profile.threads
    if not any(seen[tid].requests for tid in loops):
        return [*loops.values()], readers
    return (
        [one for tid, one in loops.items() if seen[tid].requests or seen[tid].reads.ok],
        {tid: one for tid, one in readers.items() if seen[tid].requests},
    )


def _only_asks(profile: ProcessProfile) -> bool:
    """A client: it connects, and has no socket that could accept."""
    sockets = profile.process.sockets
    if sockets is None or not sockets.count or sockets.listening:
        return False
    return not profile.total.accepts.calls and bool(profile.total.connects.ok)


def _multiplexer_of(profile: ProcessProfile, acceptors: Sequence[ThreadStyle]) -> str:
    """ " on epoll", where it waits for connections in a multiplexer."""
    for tid, style in profile.styles.items():
        if style in acceptors and profile.threads[tid].multiplexers:
            return f" on {family_of(profile.threads[tid].multiplexers[0])}"
    return ""


def _event_loop(
    profile: ProcessProfile, loops: Sequence[ThreadStyle], readers: dict[int, ThreadStyle]
) -> tuple[str, str, str, list[ThreadStyle]]:
    main = _most_active(loops)
    name = IO_NAMES[main.id]
    if _loop_per_connection(profile, loops):
        title = f"thread per connection, each with its own {name}"
        return "thread per connection", title, main.id, [*loops]
    if main.id in MULTIPLEXED:
        title = f"event loop on {name}"
        others = {style.id for style in loops} - {main.id}
        if others:
            names = " and ".join(IO_NAMES[one] for one in sorted(others))
            title = f"mixed: event loops on {name} and {names}"
        elif len(loops) > 1:
            title = f"{len(loops)} event loops on {name}, a thread each"
        if profile.turn_takers().intersection(profile.loop_threads()):
            title += ", taking turns behind a lock"
    else:
        title = name
    if main.eager:
        title += ", read first and wait when refused (greenlets or the like)"
    loop_tids = set(profile.loop_threads())
    reads = sum(profile.threads[tid].reads.ok for tid in loop_tids)
    blocking = sum(profile.threads[tid].reads.ok for tid in readers)
    if readers and blocking > MIXED_SHARE * (reads + blocking):
        other = _most_active(readers.values())
        title = f"mixed: {title} + {plural(len(readers), 'thread')} with {io_name(other)}"
        return "event loop + threads", title, main.id, [*loops]
    beside = {*profile.threads} - loop_tids - {profile.process.pid}
    helpers = [profile.threads[tid] for tid in beside if _is_fed(profile.threads[tid])]
    if sum(one.cpu_ns for one in helpers) >= HELPER_CPU_SHARE * max(1, profile.total.cpu_ns):
        return "event loop + thread pool", f"{title} + thread pool", main.id, [*loops]
    return ("greenlets" if main.eager else "event loop"), title, main.id, [*loops]


def _loop_per_connection(profile: ProcessProfile, loops: Sequence[ThreadStyle]) -> bool:
    """Each of some loops serves one connection, which another thread has accepted, and at most
    one descriptor more, that wakes it up."""
    seen = profile.loop_threads().values()
    return (
        len(loops) >= FEWEST_LOOPS
        and not any(one.accepts.calls for one in seen)
        and all(0 < (one.watched or 0) <= 2 for each in seen for one in each.multiplexers)
        and len(profile.connections()) <= len(loops)
    )


def _is_fed(seen: Activity) -> bool:
    """Work comes to it through a lock, or it computes all the time: no thread that watches a pipe
    or a clock."""
    elsewhere = seen.asleep_ns - seen.wait_ns["lock"] - seen.wait_ns["gil"]
    return elsewhere < ASLEEP_SHARE * seen.lifetime_ns


def _births(profile: ProcessProfile) -> int:
    """Threads that began while the process was traced."""
    begun = (t for t in profile.process.threads if t.tid != profile.process.pid)
    return sum(t.count for t in begun if t.started_ns > profile.process.started_ns or t.tid == 0)


def _thread_per_connection(
    profile: ProcessProfile, readers: dict[int, ThreadStyle], acceptors: Sequence[ThreadStyle]
) -> bool:
    """Threads come with connections; or each sits in the reads of its own."""
    births, accepted = _births(profile), profile.total.accepts.ok
    if births >= FEWEST_BIRTHS and births >= BIRTHS_PER_CONNECTION * accepted:
        return True
    if accepted >= FEWEST_BIRTHS or any(profile.threads[tid].accepts.calls for tid in readers):
        return False
    return not _idle_in_locks(profile, readers)


def _idle_in_locks(profile: ProcessProfile, readers: dict[int, ThreadStyle]) -> bool:
    """Workers of a pool wait for work in a lock; a connection's own thread waits in its reads."""
    seen = [profile.threads[tid] for tid in readers]
    locks = sum(one.wait_ns["lock"] + one.wait_ns["gil"] - one.gil.wait_ns for one in seen)
    sockets = sum(one.wait_ns["recv"] + one.wait_ns["poll"] for one in seen)
    return locks > sockets


def _most_active(styles: Iterable[ThreadStyle]) -> ThreadStyle:
    """The thread with most I/O of the commonest kind."""
    by_id: Counter[tuple[str, str, str, bool, bool]] = Counter()
    known: dict[tuple[str, str, str, bool, bool], ThreadStyle] = {}
    for style in styles:
        key = (style.id, style.role, style.family, style.eager, style.timeouts)
        by_id[key] += style.samples + 1
        if key not in known or style.samples > known[key].samples:
            known[key] = style
    return known[by_id.most_common(1)[0][0]]


def _evidence(chosen: Sequence[ThreadStyle]) -> tuple[str, ...]:
    main = _most_active(chosen)
    if len(chosen) == 1:
        return main.evidence
    of = "the one that did most of its I/O"
    if main.threads > 1:
        of = "those that ended meanwhile, added up"
    count = sum(style.threads for style in chosen)
    return (f"{plural(count, 'thread')} of this kind; {of}:", *main.evidence)


def _waiting(seen: Activity) -> tuple[str, ...]:
    """What a process that has done nothing sleeps in."""
    reasons = sorted(seen.wait_ns.items(), key=lambda item: -item[1])[:2]
    parts = [f"{share(ns, seen.lifetime_ns)} in {reason}" for reason, ns in reasons if ns]
    return (f"asleep: {', '.join(parts)}",) if parts else ()


def _not_seen(profile: ProcessProfile) -> tuple[str, ...]:
    """What this detail cannot tell apart."""
    if profile.detail is Detail.FULL:
        return ()
    return (
        f"told from what it sleeps in alone ({profile.detail.value} detail): calls that do not "
        "sleep are not seen, a thread that polls without sleeping can't be told from one that "
        "computes",
    )
