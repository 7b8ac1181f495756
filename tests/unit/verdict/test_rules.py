"""Each rule on a hand-made process that breaks it, and on its repaired twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from iotrace.report.model import GroupLimits, Process, StallCall, Stalls
from iotrace.verdict.rules.registry import RULES
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.verdict import elsewhere, hangs, made_busy, made_tasks
from tests.unit.verdict.made import (
    MS,
    PID,
    US,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    findings,
    judged,
    loop,
    process,
    thread,
)

Made = Callable[[bool], tuple[Process, ...]]


def _busy_polling(wrong: bool) -> tuple[Process, ...]:
    refused = 400_009 if wrong else 40
    reads = call("recvfrom", "tcp", refused + 41, errors={"EAGAIN": refused}, bytes=997)
    spins = replace(thread(user=6 * S, kernel=4 * S), syscalls=refused + 100)
    idles = thread(user=9 * MS, sleep=9_990 * MS)
    return (process([spins if wrong else idles], [reads], (), [descriptor(7)]),)


def _sleeping_polling(wrong: bool) -> tuple[Process, ...]:
    sleeps = call("clock_nanosleep", "", 499, wait=9_980 * MS if wrong else MS)
    reads = call("recvfrom", "tcp", 540, errors={"EAGAIN": 499})
    rows = [descriptor(7, pickup=(41, 10 * MS, 19 * MS, 20 * MS))]
    times = {"sleep": 9_980 * MS} if wrong else {"user": 9_980 * MS}
    return (
        process(
            [thread(user=20 * MS, **times) if wrong else thread(**times)], [sleeps, reads], (), rows
        ),
    )


def _stalls(own_ns: int, runq_ns: int) -> Stalls:
    waits = dict.fromkeys(WAIT_REASONS, 0) | {"recv": own_ns}
    worst = StallCall("recvfrom", "tcp", 9, 203 * MS)
    return Stalls(5, own_ns + runq_ns, 0, runq_ns, waits, worst)


def _stalled(wrong: bool) -> tuple[Process, ...]:
    return (event_loop(stalls=_stalls(S, 0) if wrong else _stalls(MS, S), busy=203 * MS),)


def _blocked_in_loop(wrong: bool) -> tuple[Process, ...]:
    one = event_loop()
    asleep = 3 * S if wrong else 4 * MS
    waits = thread(user=S, poll=9 * S - asleep, recv=asleep)
    reads = call("recvfrom", "tcp", 1_009, wait=asleep, longest=200 * MS)
    rows = (descriptor(7), descriptor(9, nonblocking=False, wait=asleep))
    return (replace(one, threads=(waits,), calls=(reads, *one.calls[1:]), descriptors=rows),)


def _late(wrong: bool) -> tuple[Process, ...]:
    p99 = 97 * MS if wrong else 49 * MS
    rows = (descriptor(7, pickup=(101, 31 * MS, p99, p99)),)
    return (replace(event_loop(), descriptors=rows),)


def _spinning(wrong: bool) -> tuple[Process, ...]:
    one = event_loop(iterations=90_001, unserved=89_000 if wrong else 90, data=1_001, wait=0)
    times = {"user": 6 * S, "kernel": 4 * S} if wrong else {"user": 900 * MS, "poll": 9_100 * MS}
    return (replace(one, threads=(thread(**times),)),)


def _left(wrong: bool) -> tuple[Process, ...]:
    delay = 47 * MS if wrong else 9 * MS
    rows = (descriptor(7, pickup=(101, delay, delay, delay)),)
    return (replace(event_loop(trigger="edge"), descriptors=rows),)


def _many(wrong: bool) -> tuple[Process, ...]:
    watched = 997 if wrong else 31
    one = event_loop(name="poll", iterations=20_011, watched=watched, nfds=watched)
    polls = call("poll", "", 20_011, kernel=S)
    return (replace(one, calls=(*one.calls[:2], polls)),)


def _limit(wrong: bool) -> tuple[Process, ...]:
    return (event_loop(name="select", nfds=1_011 if wrong else 900),)


def _tiny(wrong: bool) -> tuple[Process, ...]:
    one = blocking(wait=S)
    size = 1 if wrong else 60_000
    reads = call("recvfrom", "tcp", 50_021, bytes=50_021 * size, filled=50_021)
    busy = replace(thread(user=6 * S, kernel=3 * S, recv=S), syscalls=50_100)
    return (replace(one, threads=(busy,), calls=(one.calls[0], reads, one.calls[2])),)


def _senders(wrong: bool) -> tuple[Process, ...]:
    asleep = 4 * S if wrong else 9 * MS
    one = blocking(wait=5 * S, send=asleep)
    sends = call("sendto", "tcp", 97, wait=asleep)
    rows = (descriptor(7, bytes_out=10**9, wait=asleep, nonblocking=False),)
    return (replace(one, calls=(*one.calls[:2], sends), descriptors=rows),)


def _starved(wrong: bool) -> tuple[Process, ...]:
    # The same time in the run queue: in slices of 3 ms, or after each of many wake-ups.
    return (process([thread(user=5 * S, runq=5 * S, switches=1_600 if wrong else 90_000)]),)


def _contended(wrong: bool) -> tuple[Process, ...]:
    one = blocking(wait=4 * S, lock=5 * S)
    kind = "short timeout" if wrong else ""
    waits = call("futex", kind, 1_601, wait=5 * S, errors={"ETIMEDOUT": 601})
    return (replace(one, calls=(*one.calls, waits)),)


def _crowd(wrong: bool) -> tuple[Process, ...]:
    tids = range(701, 701 + (199 if wrong else 23))
    rows = [thread(tid, user=20 * MS, runq=50 * MS, recv=9_900 * MS, started=MS) for tid in tids]
    reads = [call("recvfrom", "tcp", 97, tid=tid, wait=9_900 * MS) for tid in tids]
    accepts = call("accept4", "tcp", len(tids))
    return (process([thread(accept=10 * S), *rows], [accepts, *reads]),)


def _forks(wrong: bool) -> tuple[Process, ...]:
    begun = 997 if wrong else 97
    parent = process([thread(accept=10 * S)], [call("accept4", "tcp", begun)])
    children = process(
        [thread(0, user=S, kernel=3 * S, count=begun, started=MS)],
        [call("recvfrom", "tcp", begun, tid=0)],
        pid=0, parent=PID, count=begun, started=MS, ended=9 * S,
    )  # fmt: skip
    return parent, children


def _herd(wrong: bool) -> tuple[Process, ...]:
    workers = [
        process(
            [thread(pid, user=S, poll=9 * S, switches=9_001 if wrong else 997)],
            [
                call("accept4", "tcp", 499, tid=pid),
                call("recvfrom", "tcp", 499, tid=pid),
                call("sendto", "tcp", 499, tid=pid),
                call("pselect6", "", 499, tid=pid, kernel=200 * MS),
            ],
            [loop("pselect6", 499, tid=pid, watched=1, nfds=4, data=0, eager=499)],
            [descriptor(7, nonblocking=False)],
            pid=pid, parent=PID,
        )
        for pid in (701, 702)
    ]  # fmt: skip
    return process([thread(sleep=10 * S)]), *workers


def _sleeping(wrong: bool) -> tuple[Process, ...]:
    asleep = 5 * S if wrong else 100 * MS
    one = blocking(wait=4 * S, sleep=asleep)
    return (replace(one, calls=(*one.calls, call("clock_nanosleep", "", 503, wait=asleep))),)


def _zero_timeout(wrong: bool) -> tuple[Process, ...]:
    empty = 200_003 if wrong else 1_009
    one = event_loop(
        iterations=empty + 1_009, empty=empty, zero_timeout=empty, data=1_009, busy=20 * US
    )
    times = {"user": 6 * S, "kernel": 4 * S} if wrong else {"user": 900 * MS, "poll": 9_100 * MS}
    return (replace(one, threads=(thread(**times),)),)


def _throttled(wrong: bool) -> tuple[Process, ...]:
    rows = [thread(tid, user=S, runq=2 * S, recv=7 * S) for tid in (PID, 701, 702)]
    limits = GroupLimits("/pod", 0.2, 4 * S if wrong else 400 * MS)
    return (replace(process([*rows, thread(703, recv=10 * S)]), limits=limits),)


MADE: dict[str, Made] = {
    "IO101": _busy_polling,
    "IO102": _sleeping_polling,
    "IO103": _stalled,
    "IO104": _blocked_in_loop,
    "IO105": _late,
    "IO106": _spinning,
    "IO107": _left,
    "IO108": _many,
    "IO109": _limit,
    "IO110": _tiny,
    "IO111": _senders,
    "IO112": _starved,
    "IO113": _contended,
    "IO114": _crowd,
    "IO115": _forks,
    "IO116": _herd,
    "IO117": _sleeping,
    "IO118": elsewhere.connecting,
    "IO119": elsewhere.one_peer,
    "IO120": _zero_timeout,
    "IO121": _throttled,
    "IO130": made_busy.exhausted,
    "IO131": made_busy.failing,
    "IO132": made_busy.long_iterations,
    "IO133": made_busy.never_sleeps,
    "IO134": made_busy.faulting,
    "IO135": made_busy.collecting,
    "IO140": hangs.stuck,
    "IO141": hangs.locked,
    "IO142": hangs.full_pool,
    "IO143": hangs.connection_pool,
    "IO144": hangs.held_lock,
    "IO145": hangs.gil_asleep,
    "IO146": hangs.accept_blocked,
    "IO147": hangs.busy_connections,
    "IO150": elsewhere.tail,
    "IO151": elsewhere.file_lock,
    "IO152": elsewhere.slow_file,
    "IO153": elsewhere.silent_dns,
    "IO154": elsewhere.nagle,
    "IO155": elsewhere.overflow,
    "IO156": elsewhere.closed_window,
    "IO157": elsewhere.lost_packets,
    "IO158": elsewhere.child_polling,
    "IO160": made_tasks.queued,
    "IO161": made_tasks.kept_connections,
    "IO170": hangs.polled_result,
    "IO171": hangs.accept_queue,
    "IO172": made_busy.polls_files,
    "IO162": elsewhere.round_trips,
    "IO163": hangs.kept_threads,
    "IO174": elsewhere.unreachable,
    "IO175": made_busy.imports_for_each_job,
    "IO176": made_busy.pickles,
    "IO177": elsewhere.convoy,
    "IO178": made_busy.computing_requests,
}
EVIDENCE: dict[str, dict[str, Any]] = {
    "IO101": {"eagain_calls": 400_009, "useful_calls": 41},
    "IO102": {"sleeps": 499, "mean_sleep_ns": 20 * MS, "pickup_p50_ns": 10 * MS},
    "IO103": {"stalls": 5, "longest_ns": 203 * MS, "longest_block_ns": 203 * MS},
    "IO104": {"blocked_in_recv_ns": 3 * S, "call": "recvfrom", "longest_ns": 200 * MS},
    "IO105": {"p99_ns": 97 * MS, "reads": 101},
    "IO106": {"returns_unserved": 89_000, "returns": 90_001},
    "IO107": {"connections": 1, "p50_ns": 47 * MS},
    "IO108": {"watched": 997, "kernel_per_call_ns": S // 20_011},
    "IO109": {"highest_descriptor": 1_010},
    "IO110": {"mean_read_bytes": 1, "filled_ratio": 1.0},
    "IO111": {"blocked_ns": 4 * S, "slowest_peer": "127.0.0.1:40007"},
    "IO112": {"runq_ns": 5 * S, "runq_share_ratio": 0.5},
    "IO113": {"waited_ns": 5 * S, "timeouts": 601},
    "IO114": {"threads_alive": 198, "runq_ns": 199 * 50 * MS},
    "IO115": {"forks": 997, "kernel_per_process_ns": 3 * S // 997},
    "IO116": {"workers": 2, "wasted_wakeups": 2 * (9_001 - 3 * 499)},
    "IO117": {"sleeps": 503, "asleep_ns": 5 * S},
    "IO118": {"connects": 101, "connect_wait_ns": 3 * S},
    "IO119": {"peer": "10.0.0.9:5432", "waited_ns": 6 * S},
    "IO120": {"empty_returns": 200_003, "useful_returns": 1_009},
    "IO121": {"throttled_by_cpu_limit_ns": 4 * S, "quota_cpus": 0.2, "threads_that_want_a_cpu": 3},
    "IO130": {"call": "accept4", "error": "EMFILE", "failed": 8_999},
    "IO131": {"call": "other", "error": "EBADF", "failed": 40_009},
    "IO132": {"iterations_over_10_ms": 397, "mean_ns": 17 * MS, "on_cpu_ns": 397 * 17 * MS},
    "IO133": {"cpu_ns": 9_900 * MS, "commonest_call": "other"},
    "IO134": {"major_page_faults": 9_001, "memory_limit_bytes": 1_000_000},
    "IO135": {"garbage_collection_estimated_ns": S, "of_cpu_time_ratio": 0.2},
    "IO140": {"call": "write", "kind": "pipe", "threads": 1, "other_end_has": "811"},
    "IO141": {"threads": 2, "waited_ns": 10 * S, "likely_holder": 703},
    "IO142": {"pool": "ThreadPoolExecutor", "threads": 2, "busy_share_ratio": 1.0},
    "IO143": {"threads_waiting": 2, "pool": "QueuePool._do_get (pool/impl.py)"},
    "IO144": {"waits": 30, "waited_ns": 5 * S, "holder_sleeps_in": "recvfrom"},
    "IO145": {"holder": 701, "longest_ns": 1_500 * MS},
    "IO146": {"connections_waiting": 3, "waited_ns": 6 * S},
    "IO147": {"peer": "10.0.0.9:443", "connections": 2, "in_flight_mean": 2.0},
    "IO150": {"peer": "10.0.0.9:5432", "late_answers": 12, "answers": 600, "late_ratio": 0.02},
    "IO151": {
        "waited_ns": 5 * S, "path": "/srv/state.lock", "had_by": "process 4321 python3",
        "longest_ns": 450 * MS,
    },
    "IO152": {
        "call": "fsync", "waited_ns": 4 * S, "path": "/srv/log",
        "file_system": "nfs4 at /srv from nas:/srv",
    },
    "IO153": {"dns_server": "10.0.0.2:53", "lookups": 3, "waited_ns": 5_005 * MS},
    "IO154": {"waits_of_40_ms": 97, "sends": 200, "mean_send_bytes": 10},
    "IO155": {"listener": "127.0.0.1:8000", "dropped": 7, "backlog": 1, "in_accept_queue": 2},
    "IO156": {"window_closed_ns": 6 * S, "unsent_bytes": 2_500_000, "connections": 1},
    "IO157": {"slow_connects": 5, "longest_ns": 1_030 * MS},
    "IO158": {"looks": 83, "waited_ns": 4 * S},
    "IO160": {"tasks_waiting": 7, "tasks_waiting_mean": 7.0, "longest_ns": 9 * S},
    "IO161": {"open_connections": 80, "made_while_traced": 60, "in_use_at_once": 2},
    "IO170": {"threads": 2, "looks": 200, "mean_pause_ns": 99 * MS},
    "IO171": {"listener": "127.0.0.1:8000", "longest_wait_ns": 2 * S, "accepted_connections": 5},
    "IO172": {"looks": 51_030, "looks_per_second": 5_103},
    "IO162": {"peer": "10.0.0.9:6379", "round_trips": 40_000, "round_trips_per_request": 40.0},
    "IO163": {"threads_started": 50, "per_second": 5.0, "runs": "speak"},
    "IO174": {"peer": "10.0.0.9:5672", "failed_connects": 17, "each_took_ns": 0},
    "IO175": {"processes_started": 13, "files_opened_each": 301, "cpu_per_process_ns": 400 * MS},
    "IO176": {"pool_of": PID, "pickling_estimated_ns": 4_500 * MS, "bytes_through_pipes": 2 * S},
    "IO177": {"peer": "10.0.0.9:3306", "waited_ns": 40 * S, "meanwhile_asked": "10.0.0.8:443"},
    "IO178": {"slow_requests": 20, "requests": 500, "mean_on_cpu_ns": 250 * MS},
}  # fmt: skip


def test_every_rule_is_made() -> None:
    assert list(MADE) == list(EVIDENCE) == [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", MADE)
def test_a_defect_is_found_with_its_figures(rule: str) -> None:
    found = findings(*MADE[rule](True))
    assert rule in found
    evidence = found[rule].evidence
    assert {name: evidence.get(name) for name in EVIDENCE[rule]} == EVIDENCE[rule]


@pytest.mark.parametrize("rule", MADE)
def test_its_repaired_twin_is_not(rule: str) -> None:
    assert rule not in findings(*MADE[rule](False))


def test_the_descriptor_that_blocked_the_loop_is_named() -> None:
    assert findings(*_blocked_in_loop(True))["IO104"].fd == 9
    assert findings(*_stalled(True))["IO103"].fd == 9


@pytest.mark.parametrize("healthy", [event_loop(), blocking()], ids=["loop", "blocking"])
def test_a_healthy_server_has_nothing(healthy: Process) -> None:
    assert findings(healthy) == {}


def test_a_client_that_keeps_others_waiting() -> None:
    assert findings(blocking(), pending=0) == {}
    found = findings(blocking(), pending=3)["IO119"]
    assert found.evidence["connections_waiting"] == 3


def test_short_waits_of_a_library_are_not_for_the_gil_where_its_address_is_known() -> None:
    (one,) = MADE["IO113"](True)
    assert {row.kind for row in one.calls if row.syscall == "futex"} == {"short timeout"}
    row = next(row for row in one.calls if row.syscall == "futex")
    gil = replace(row, kind="gil", wait_ns=MS, total_ns=MS)
    assert "IO113" not in findings(replace(one, calls=(*one.calls, gil)))


def test_costs_rank_and_give_the_severity() -> None:
    one = event_loop(stalls=_stalls(S, 0), busy=203 * MS)
    both = replace(
        one,
        threads=(thread(user=S, poll=6 * S, recv=3 * S),),
        calls=(call("recvfrom", "tcp", 1_009, wait=3 * S), *one.calls[1:]),
    )
    found = judged(both).findings
    assert [(one.id, one.severity, one.cost_ns) for one in found] == [
        ("IO104", "high", 3 * S),
    ]
    assert [(one.id, one.severity, one.cost_ns) for one in found[0].symptoms] == [
        ("IO103", "medium", S),
    ]


def test_workers_that_are_alike_are_reported_once() -> None:
    master = process([thread(sleep=10 * S)])
    workers = [
        replace(one, pid=pid, parent=PID) for pid in (701, 702, 703) for one in _sleeping(True)
    ]
    found = findings(master, *workers)
    assert found["IO117"].evidence["processes"] == 3


def test_lateness_is_not_reported_twice() -> None:
    rows = (descriptor(7, pickup=(101, 31 * MS, 97 * MS, 97 * MS)),)
    stalled = replace(event_loop(stalls=_stalls(S, 0), busy=203 * MS), descriptors=rows)
    (found,) = judged(stalled).findings
    assert (found.id, [one.id for one in found.symptoms]) == ("IO103", ["IO105"])
