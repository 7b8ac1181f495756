"""Findings as causes with their symptoms."""

from __future__ import annotations

from dataclasses import replace
from graphlib import TopologicalSorter

from iotrace.report.model import Descriptor, GroupLimits, Process, StallCall, Stalls
from iotrace.report.stacks import CpuSample, Frame, StallCause
from iotrace.verdict.causes import stories_of
from iotrace.verdict.rules.registry import RULES
from iotrace.verdict.rules.rule import Hit, Rank, Rule, Tells, always, covers, wastes_its_cpu
from iotrace.verdict.told_lines import COMPUTES, HELD_LOCK, ToldLine, wait_at
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.verdict import elsewhere, hangs, made_busy
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    call,
    descriptor,
    event_loop,
    judged,
    listener,
    loop,
    process,
    thread,
)


def _rule(name: str, rank: Rank = Rank.SHARE, **explains: object) -> Rule:
    return Rule(name, name, "", lambda _: (), explains, rank)  # type: ignore[arg-type]


def _told(*found: tuple[Rule, Hit]) -> list[tuple[str, list[str]]]:
    return [(story.rule.id, [rule.id for rule, _ in story.symptoms]) for story in stories_of(found)]


SLOW = _rule("slow")
LATE = _rule("late", slow=always)
BLOCKED = _rule("blocked", late=covers)


def test_what_nothing_explains_stands_alone() -> None:
    assert _told((SLOW, Hit({}, 3))) == [("slow", [])]
    assert _told((SLOW, Hit({}, 3)), (BLOCKED, Hit({}, 5))) == [("slow", []), ("blocked", [])]


def test_a_symptom_of_a_symptom_is_told_under_the_first_cause() -> None:
    found = ((SLOW, Hit({}, 50)), (LATE, Hit({}, 5)), (BLOCKED, Hit({}, 5)))
    assert _told(*found) == [("blocked", ["slow", "late"])]


def test_a_cause_that_costs_too_little_explains_nothing() -> None:
    assert _told((LATE, Hit({}, 11)), (BLOCKED, Hit({}, 5))) == [("late", []), ("blocked", [])]


def test_other_threads_have_causes_of_their_own() -> None:
    found = ((SLOW, Hit({}, 3, tid=7)), (LATE, Hit({}, 3, tid=8)))
    assert _told(*found) == [("slow", []), ("late", [])]
    found = ((SLOW, Hit({}, 3, tid=None)), (LATE, Hit({}, 3, tid=8)))
    assert _told(*found) == [("late", ["slow"])]


def test_of_several_causes_a_hang_is_told_before_the_costliest() -> None:
    hang = _rule("hang", Rank.STUCK, slow=always)
    found = ((LATE, Hit({}, 9)), (hang, Hit({}, 5)), (SLOW, Hit({}, 2)))
    assert _told(*found) == [("late", []), ("hang", ["slow"])]


def test_a_peers_wait_in_a_loops_iteration_is_one_story() -> None:
    """The same 4 s seen by three rules: a poll of one socket, nested in the iterations."""
    waits = dict.fromkeys(WAIT_REASONS, 0) | {"poll": 4 * S}
    stalls = Stalls(16, 4 * S, MS, MS, waits, StallCall("poll", "", 9, 300 * MS))
    loop = event_loop(stalls=stalls, busy=300 * MS, wait=S)
    peer = descriptor(9, local="127.0.0.1:50009", peer="10.0.0.9:5432", polled=4 * S)
    blocked = replace(
        loop,
        threads=(thread(user=S, poll=9 * S),),
        calls=(*loop.calls, call("poll", "", 114, wait=4 * S)),
        descriptors=(*loop.descriptors, peer),
        sockets=listener(),
    )
    (found,) = judged(blocked).findings
    assert (found.id, found.cost_ns) == ("IO104", 4 * S)
    assert {one.id for one in found.symptoms} == {"IO103", "IO119"}


def test_a_spin_that_waits_for_the_cpu_wants_no_more_of_it() -> None:
    spin, starved = _rule("spin", starved=wastes_its_cpu), _rule("starved")
    for cost, told in ((6, [("spin", ["starved"])]), (4, [("spin", []), ("starved", [])])):
        found = ((spin, Hit({}, cost)), (starved, Hit({"cpu_ns": 10}, 90)))
        assert _told(*found) == told


def test_what_processes_share_is_told_once() -> None:
    limits = GroupLimits("/shop", 0.2, 8 * S, "", None, None, None)
    master = process([thread(user=S // 5, runq=S // 5, lock=9 * S)])
    worker = process([thread(PID + 1, user=S, runq=4 * S, lock=4 * S)], pid=PID + 1, parent=PID)
    worker, master = (replace(one, limits=limits) for one in (worker, master))
    (found,) = judged(master, worker).findings
    assert (found.id, found.pid, found.evidence["processes"]) == ("IO121", PID + 1, 2)
    assert found.title.endswith(": 2 processes share 0.2 CPU")
    assert found.evidence["runq_ns"] == S // 5 + 4 * S
    two = replace(limits, cpu_quota_cpus=1.5)
    (found,) = judged(*(replace(one, limits=two) for one in (master, worker))).findings
    assert found.title.endswith(": 2 processes share 1.5 CPUs")
    # The master was traced for a moment longer.
    longer = GroupLimits("/shop", 0.2, 8 * S + MS, "", None, None, None)
    (found,) = judged(replace(master, limits=longer), worker).findings
    assert found.pid == PID + 1
    elsewhere = replace(worker, limits=replace(limits, cpu_group="/other"))
    two = judged(master, elsewhere).findings
    assert [one.title for one in two] == ["Throttled by the CPU limit of its control group"] * 2


def test_many_alike_findings_of_one_process_are_one() -> None:
    stalls = Stalls(9, 2 * S, 2 * S, 0, {}, None)
    one = event_loop(stalls=stalls, busy=300 * MS)
    tids = range(701, 706)
    rows = [replace(one.threads[0], tid=tid) for tid in tids]
    calls = [replace(row, tid=tid) for tid in tids for row in one.calls]
    for most, expected in ((3, 3), (5, 1)):
        loops = [replace(one.loops[0], tid=tid) for tid in tids[:most]]
        many = replace(one, threads=tuple(rows), calls=tuple(calls), loops=tuple(loops))
        found = [finding for finding in judged(many).findings if finding.id == "IO103"]
        assert len(found) == expected
    assert found[0].evidence["places"] == 5


def test_the_rules_order_has_no_circles_and_no_unknown_rule() -> None:
    ids = {rule.id for rule in RULES}
    for rule in RULES:
        assert set(rule.explains) <= ids, f"{rule.id} explains rules that the registry lacks"
    tuple(TopologicalSorter({rule.id: set(rule.explains) for rule in RULES}).static_order())


def _line(function: str, line: int, does: str) -> ToldLine:
    return ToldLine(does, wait_at(Frame(function, "/srv/app.py", line), does))


READ = _line("report", 9, "recvfrom")
SYNC = _line("chat", 15, "fsync")
HOG = _line("rank", 20, COMPUTES)
HOG_STALLS = _line("rank", 22, COMPUTES)
LOCK = _line("chat", 14, HELD_LOCK)
TASKS = ToldLine("app.py:14 chat: 3 asyncio tasks at the end, 2.0 on the average, longest 2 s")


def test_the_same_wait_at_the_same_line_is_one_cause() -> None:
    """The one that costs most; the other is no effect of it, but the same thing."""
    one, other = _rule("one"), _rule("other")
    found = ((one, Hit({}, 3, 7, lines=(READ,))), (other, Hit({}, 4, 7, lines=(READ, SYNC))))
    (story,) = stories_of(found)
    assert (story.rule, [rule for rule, _ in story.same], story.symptoms) == (other, [one], ())


def test_why_stands_before_that_it_takes_long() -> None:
    """Whatever that costs; not before what is more grave."""
    row = elsewhere.new_connections(True)[0]
    asked = descriptor(9, local="127.0.0.1:51009", peer="10.0.0.8:80", wait=9 * S, calls=99)
    found = judged(replace(row, descriptors=(*row.descriptors, asked), sockets=listener()))
    assert [one.id for one in found.findings] == ["IO179", "IO119"]
    assert (found.findings[0].cost_ns or 0) < (found.findings[1].cost_ns or 0)


def test_a_blocked_loop_is_no_effect_of_the_peer_that_it_waits_for() -> None:
    rules = {rule.id: rule for rule in RULES}
    for stalled, told in ((9, ["IO103"]), (2, ["IO119", "IO103"])):
        found = (
            (rules["IO119"], Hit({}, 10, lines=(READ,))),
            (rules["IO103"], Hit({}, stalled, 7, lines=(READ if stalled == 9 else SYNC,))),
        )
        assert [story.rule.id for story in stories_of(found)] == told


def test_waits_in_other_threads_or_at_other_lines_are_others() -> None:
    one, other = _rule("one"), _rule("other")
    for tid, lines in ((8, (READ,)), (7, (SYNC, READ)), (7, ()), (7, (TASKS,))):
        found = ((one, Hit({}, 3, 7, lines=(READ,))), (other, Hit({}, 4, tid, lines=lines)))
        assert _told(*found) == [("one", []), ("other", [])]
    tasks = ((one, Hit({}, 3, lines=(TASKS,))), (other, Hit({}, 4, lines=(TASKS,))))
    assert len(stories_of(tasks)) == 2


def test_a_queue_in_front_of_a_thread_is_an_effect_of_what_it_does() -> None:
    """Whatever ranks and costs more: who waits there waits because of that."""
    queue = replace(_rule("queue", Rank.STUCK), tells=Tells.QUEUE)
    for line, others in ((READ, READ), (HOG, HOG_STALLS)):
        found = ((queue, Hit({}, 90, 7, lines=(line,))), (SLOW, Hit({}, 3, 7, lines=(others,))))
        assert _told(*found) == [("slow", ["queue"])]
    found = ((queue, Hit({}, 90, 7, lines=(READ, SYNC))), (SLOW, Hit({}, 3, 7, lines=(SYNC,))))
    assert _told(*found) == [("queue", []), ("slow", [])]


def test_a_wait_for_a_lock_is_an_effect_of_what_its_holder_does() -> None:
    held, slow = _rule("held"), _rule("file")
    found = ((held, Hit({}, 90, lines=(LOCK, SYNC))), (slow, Hit({}, 3, lines=(SYNC, READ))))
    assert _told(*found) == [("file", ["held"])]
    found = ((held, Hit({}, 90, lines=(READ, SYNC))), (slow, Hit({}, 3, lines=(SYNC, READ))))
    assert _told(*found) == [("held", []), ("file", [])]


def test_a_line_that_takes_long_is_the_effect_of_what_says_why() -> None:
    """If that is a good part of it, however much else the line takes."""
    why, peer = _rule("why"), replace(_rule("peer"), tells=Tells.WAIT)
    for cost, told in ((3, [("why", ["peer"])]), (1, [("peer", []), ("why", [])])):
        found = ((peer, Hit({}, 9, lines=(READ,))), (why, Hit({}, cost, 7, lines=(READ,))))
        stories = [(one.rule.id, [rule.id for rule, _ in one.same]) for one in stories_of(found)]
        assert stories == told


def test_a_lock_that_is_handed_round_is_not_one_that_is_never_released() -> None:
    """IO144 knows who has had it, IO141 that one thread has waited for long: the same lock."""
    rules = {rule.id: rule for rule in RULES}
    waits, another = _line("chat", 14, "futex"), _line("other", 30, "futex")
    held = (rules["IO144"], Hit({}, 90, lines=(LOCK, SYNC)))
    for line, told in ((waits, 1), (another, 2)):
        assert len(stories_of((held, (rules["IO141"], Hit({}, 4, 7, lines=(line,)))))) == told


def test_a_full_pool_explains_the_sleep_of_all_its_threads_however_many() -> None:
    """Its cost is that of one thread, theirs of all."""
    full = _rule("full", Rank.STUCK, peer=covers)
    peer = replace(_rule("peer"), tells=Tells.WAIT)
    found = ((full, Hit({}, 8, lines=(READ,))), (peer, Hit({}, 320, lines=(READ,))))
    (story,) = stories_of(found)
    assert (story.rule.id, [rule.id for rule, _ in story.same]) == ("full", ["peer"])


def test_where_rules_say_when_one_follows_that_decides() -> None:
    """A cause that costs too little by its own rule is none because of the line."""
    cause, late = _rule("cause", late=covers), _rule("late")
    found = ((cause, Hit({}, 3, lines=(READ,))), (late, Hit({}, 9, lines=(READ,))))
    assert _told(*found) == [("cause", []), ("late", [])]


def test_a_full_accept_queue_stands_under_the_sleep_that_fills_it() -> None:
    (full,) = elsewhere.overflow(True)
    sleeps = call("clock_nanosleep", "", 53, wait=8 * S)
    (found,) = judged(replace(full, calls=(*full.calls, sleeps))).findings
    assert (found.id, found.severity) == ("IO117", "high")
    assert {one.id: one.same_wait for one in found.symptoms} == {"IO155": False}


def test_stalls_and_long_iterations_that_compute_at_one_line_are_one_finding() -> None:
    (one,) = made_busy.long_iterations(True)
    stack = (Frame("rank", "/srv/app.py", 22, True),)
    cause = StallCause("cpu", "", "", None, 40, 6 * S, 0, 0, 0, 6 * S, 300 * MS, 0, stack)
    samples = (CpuSample(one.loops[0].tid, 100, 9 * S, 0, 0, 0, 0, stack),)
    for stalled, first, second in ((2 * S, "IO132", "IO103"), (20 * S, "IO103", "IO132")):
        stalls = Stalls(40, stalled, stalled, 0, {}, None, (cause,))
        seen = replace(one, loops=(replace(one.loops[0], stalls=stalls),), cpu_samples=samples)
        (found,) = (row for row in judged(seen).findings if row.id in ("IO103", "IO132"))
        assert found.id == first
        assert [row.id for row in found.symptoms if row.same_wait] == [second]


def test_what_computes_in_one_function_may_have_several_causes() -> None:
    one, other = _rule("one"), _rule("other")
    queue = replace(_rule("queue"), tells=Tells.QUEUE)
    found = ((one, Hit({}, 3, 7, lines=(HOG,))), (other, Hit({}, 4, 7, lines=(HOG,))))
    assert len(stories_of(found)) == 2
    # A finding about all threads does not tell that the one which computes is stalled by it.
    for tid, told in ((7, [("one", ["queue"])]), (None, [("queue", []), ("one", [])])):
        pair = ((queue, Hit({}, 9, 7, lines=(HOG,))), (one, Hit({}, 3, tid, lines=(HOG,))))
        assert _told(*pair) == told


def test_processes_that_lack_the_same_cpus_are_one_finding() -> None:
    limits = GroupLimits("/shop", None, None, "", None, None, None)
    parent = process([thread(user=MS, runq=4 * S, lock=5 * S)])
    child = process([thread(PID + 1, user=MS, runq=5 * S, lock=4 * S)], pid=PID + 1, parent=PID)
    told = judged(*(replace(one, limits=limits) for one in (parent, child))).findings
    (found,) = (one for one in told if one.id == "IO112")
    assert (found.evidence["processes"], found.evidence["short_of"]) == (2, "2 CPUs")


def test_data_that_lay_longer_than_a_sleep_was_another_threads_to_read() -> None:
    sleeps = next(rule for rule in RULES if rule.id == "IO117").explains["IO105"]
    for severity, lay, follows in (
        ("low", 1_400 * MS, False),
        ("low", 200 * MS, True),
        (None, 1_400 * MS, True),  # it serves several, one after the other
    ):
        asleep = Hit({"mean_sleep_ns": 500 * MS}, 9 * S, severity=severity)
        assert sleeps(asleep, Hit({"p50_ns": lay}, 9 * S)) is follows


def _from_another_port(one: Process) -> tuple[Descriptor, ...]:
    """Its connections, of a process that has made some of its own."""
    return tuple(
        replace(row, local="10.0.0.7:51009") if row.peer == "10.0.0.9:80" else row
        for row in one.descriptors
    )


def test_workers_of_one_listener_are_told_together_though_their_io_looks_different() -> None:
    """One of them was seen to use sockets with a timeout."""
    (one,) = hangs.accept_queue(True)
    polls = loop("poll", 20, watched=1, nfds=1, data=10, wait=9 * S)
    timed = replace(one, threads=(thread(poll=9 * S, accept=S),), loops=(polls,))
    timed = replace(timed, descriptors=_from_another_port(one))
    master = process([thread(sleep=10 * S)])
    workers = [replace(one, pid=701, parent=PID), replace(timed, pid=702, parent=PID)]
    report = judged(master, *workers)
    assert len({each.model.title for each in report.processes[1:] if each.model}) == 2
    (found,) = report.findings
    assert (found.id, found.evidence["processes"]) == ("IO119", 2)
    assert [each.id for each in found.symptoms] == ["IO171"]


def test_children_that_are_different_servers_are_told_apart() -> None:
    """As those of a supervisor, which are alike in what they wait for."""
    (one,) = hangs.accept_queue(True)
    polls = loop("poll", 20, watched=1, nfds=1, data=10, wait=9 * S)
    timed = replace(one, threads=(thread(poll=9 * S, accept=S),), loops=(polls,))
    timed = replace(timed, descriptors=_from_another_port(one))
    other = replace(timed, sockets=replace(listener(2), listening=("127.0.0.1:9000",)))
    master = process([thread(sleep=10 * S)])
    workers = [replace(one, pid=701, parent=PID), replace(other, pid=702, parent=PID)]
    assert [each.pid for each in judged(master, *workers).findings] == [701, 702]
