"""Snapshots add up and subtract."""

from dataclasses import fields, replace

from iotrace.snapshot import histogram
from iotrace.snapshot.arithmetic import (
    add_snapshots,
    fold,
    interval,
    threads_only,
    without_sums,
)
from iotrace.snapshot.merging import add
from iotrace.snapshot.snapshot import Snapshot
from iotrace.snapshot.totals import CallTotals, Losses, ThreadKey, ThreadTotals
from iotrace.vocabulary.waits import WAIT_REASONS

MAIN = ThreadKey(7, 7, 100)
WORKER = ThreadKey(7, 11, 200)
CHILD = ThreadKey(13, 13, 300)


def thread(scale: int, **members: object) -> ThreadTotals:
    totals = ThreadTotals(
        parent_pid=3,
        name="python",
        ended_ns=None,
        at_ns=1_000 * scale,
        lifetime_ns=28 * scale,
        user_ns=2 * scale,
        kernel_ns=3 * scale,
        copy_ns=5 * scale,
        runq_ns=7 * scale,
        unaccounted_ns=0,
        wait_ns=(11 * scale, *(0,) * (len(WAIT_REASONS) - 1)),
        voluntary=13 * scale,
        involuntary=17 * scale,
        syscalls=19 * scale,
    )
    return replace(totals, **members)


def call(scale: int, max_ns: int, bucket: int = 50) -> CallTotals:
    latency = [0] * histogram.BUCKETS
    latency[bucket] = 2 * scale
    sums = {
        member.name: scale
        for member in fields(CallTotals)
        if member.name not in ("errors", "latency", "wait", "copy", "max_ns", "in_flight")
    }
    wait = (scale, *[0] * (histogram.COARSE_BUCKETS - 1))
    return CallTotals(
        **sums,
        errors={104: scale},
        latency=tuple(latency),
        wait=wait,
        copy=wait[::-1],
        max_ns=max_ns,
        in_flight=1,
    )


def test_an_interval_is_the_difference() -> None:
    earlier = Snapshot(0, 1_000, {MAIN: thread(1)}, {(MAIN, 45, "tcp"): call(3, 5_000)})
    later = Snapshot(
        0,
        4_000,
        {MAIN: thread(4), WORKER: thread(2)},
        {(MAIN, 45, "tcp"): call(10, 9_000)},
        losses=Losses(calls=2),
    )
    part = interval(later, earlier)
    assert (part.from_ns, part.at_ns) == (1_000, 4_000)
    assert part.threads[MAIN] == thread(3, at_ns=4_000)
    assert part.threads[WORKER] == thread(2)
    changed = part.calls[MAIN, 45, "tcp"]
    assert (changed.calls, changed.errors, changed.latency[50]) == (7, {104: 7}, 14)
    assert (changed.wait[0], changed.copy[-1]) == (7, 7)
    assert (changed.max_ns, changed.in_flight) == (9_000, 1)
    assert part.losses == Losses(calls=2)


def test_a_maximum_of_earlier_is_not_that_of_the_interval() -> None:
    earlier = Snapshot(0, 1, calls={(MAIN, 45, "tcp"): call(1, 10**9)})
    later = Snapshot(0, 2, calls={(MAIN, 45, "tcp"): call(4, 10**9)})
    part = interval(later, earlier)
    assert part.calls[MAIN, 45, "tcp"].max_ns == histogram.bounds_ns(50)[1]


def test_ended_threads_are_added_up_under_one_key() -> None:
    ended = ThreadKey(7, 0, 0)
    whole = Snapshot(
        0,
        9,
        {MAIN: thread(1), WORKER: thread(2), CHILD: thread(5)},
        {(WORKER, 45, "tcp"): call(1, 8), (CHILD, 45, "tcp"): call(2, 6)},
        signals={(WORKER, 29): 3, (CHILD, 29): 4},
    )
    folded = fold(whole, {WORKER: ended, CHILD: ended})
    assert folded.threads == {MAIN: thread(1), ended: thread(7, count=2, at_ns=2_000)}
    assert folded.calls[ended, 45, "tcp"].calls == 3
    assert folded.calls[ended, 45, "tcp"].max_ns == 8
    assert folded.signals == {(ended, 29): 7}


def test_an_interval_knows_what_was_added_up_since() -> None:
    ended = ThreadKey(7, 0, 0)
    earlier = Snapshot(0, 1_000, {MAIN: thread(1), WORKER: thread(2)})
    later = Snapshot(0, 2_000, {MAIN: thread(1), ended: thread(6, count=2)}, folded={WORKER: ended})
    part = interval(later, earlier)
    assert part.threads[ended].user_ns == thread(4).user_ns
    assert part.threads[ended].lifetime_ns == thread(4).lifetime_ns
    assert WORKER not in part.threads


def test_sums_join_a_snapshot() -> None:
    ended = ThreadKey(7, 0, 0)
    tables = Snapshot(0, 9, {MAIN: thread(1), ended: thread(2)}, signals={(ended, 29): 1})
    sums = Snapshot(0, 0, {ended: thread(3)}, signals={(ended, 29): 5, (ended, 15): 1})
    joined = add_snapshots(tables, sums)
    assert joined.threads[MAIN] == thread(1)
    assert joined.threads[ended].syscalls == thread(5).syscalls
    assert joined.signals == {(ended, 29): 6, (ended, 15): 1}


def test_adding_keeps_what_is_a_state() -> None:
    both = add(thread(1, name="first", ended_ns=5), thread(2, name="second"))
    assert (both.name, both.ended_ns, both.count) == ("first", 5, 2)


def test_sums_of_the_ended_can_be_left_out_of_both_ends_of_an_interval() -> None:
    """A trace without an end drops them once they are reported; nothing is counted twice."""
    ended, orphans = ThreadKey(7, 0, 0), ThreadKey(-7, 0, 0)
    before = Snapshot(0, 10, threads={MAIN: thread(1), ended: thread(5), orphans: thread(9)})
    kept = without_sums(before)
    assert set(kept.threads) == {MAIN}
    after = Snapshot(0, 20, threads={MAIN: thread(3), ended: thread(2)})
    part = interval(after, kept)
    assert part.threads[MAIN].user_ns == 2 * thread(1).user_ns
    assert part.threads[ended].user_ns == 2 * thread(1).user_ns
    assert orphans not in part.threads


def test_threads_without_their_calls() -> None:
    snapshot = Snapshot(0, 10, threads={MAIN: thread(1)}, calls={(MAIN, 0, 1): call(1, 5)})
    assert threads_only(snapshot).threads == snapshot.threads
    assert threads_only(snapshot).calls == {}
