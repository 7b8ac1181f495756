"""Each rule on a hand-made process that breaks it, and on its repaired twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from iotrace.report.model import Process
from iotrace.verdict.rules.registry import RULES
from tests.unit.verdict import (
    clients,
    elsewhere,
    hangs,
    made_busy,
    made_ends,
    made_servers,
    made_tasks,
)
from tests.unit.verdict.made import (
    MS,
    PID,
    S,
    blocking,
    call,
    descriptor,
    event_loop,
    findings,
    judged,
    process,
    thread,
)

Made = Callable[[bool], tuple[Process, ...]]


MADE: dict[str, Made] = {
    "IO101": made_servers.busy_polling,
    "IO102": made_servers.sleeping_polling,
    "IO103": made_servers.stalled,
    "IO104": made_servers.blocked_in_loop,
    "IO105": made_servers.late,
    "IO106": made_servers.spinning,
    "IO107": made_servers.left,
    "IO108": made_servers.many,
    "IO109": made_servers.limit,
    "IO110": made_servers.tiny,
    "IO111": made_servers.senders,
    "IO112": made_servers.starved,
    "IO113": made_servers.contended,
    "IO114": made_servers.crowd,
    "IO115": made_servers.forks,
    "IO116": made_servers.herd,
    "IO117": made_servers.sleeping,
    "IO118": elsewhere.connecting,
    "IO119": elsewhere.one_peer,
    "IO120": made_servers.zero_timeout,
    "IO121": made_servers.throttled,
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
    "IO164": elsewhere.silent_peer,
    "IO165": made_tasks.awaited_answers,
    "IO166": made_busy.replaced_workers,
    "IO167": made_busy.tiny_sends,
    "IO185": made_tasks.slow_tasks,
    "IO186": hangs.accept_paused,
    "IO187": hangs.handed_over,
    "IO179": elsewhere.new_connections,
    "IO190": hangs.stopped,
    "IO191": hangs.waited_out,
    "IO195": clients.endless,
    "IO196": clients.asking_on,
    "IO197": clients.slow_callbacks,
    "IO198": elsewhere.dropped_datagrams,
    "IO199": elsewhere.unix_backlog,
    "IO200": made_busy.empty_waits,
    "IO192": made_ends.killed_workers,
    "IO194": made_servers.stolen,
    "IO193": made_ends.endless_shutdown,
    "IO201": hangs.behind_busy,
    "IO202": hangs.read_by_another,
    "IO203": made_busy.brief_workers,
    "IO208": made_ends.told_in_vain,
    "IO206": made_ends.inherited_connections,
    "IO209": elsewhere.cut_off,
    "IO215": elsewhere.closed_too_soon,
    "IO207": made_busy.brief_threads,
    "IO212": elsewhere.full_pipe,
    "IO204": made_ends.shared_connections,
    "IO213": made_busy.growing_backlog,
    "IO205": elsewhere.stop_and_wait,
    "IO214": made_busy.reads_at_end,
    "IO222": made_busy.timed_reads,
    "IO225": made_ends.runs_children,
    "IO211": made_ends.main_thread_gone,
    "IO216": made_tasks.awaited_bodies,
    "IO219": made_tasks.abandoned_requests,
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
    "IO121": {"throttled_added_up_over_cpus_ns": 4 * S, "threads_that_want_a_cpu": 3},
    "IO130": {"call": "accept4", "error": "EMFILE", "failed": 8_999},
    "IO131": {"call": "other", "error": "EBADF", "failed": 40_009},
    "IO132": {"iterations_over_10_ms": 397, "mean_ns": 17 * MS, "on_cpu_ns": 397 * 17 * MS},
    "IO133": {"cpu_ns": 9_900 * MS, "commonest_call": "getpid"},
    "IO134": {"major_page_faults": 9_001, "memory_limit_bytes": 1_000_000},
    "IO135": {"garbage_collection_estimated_ns": S, "of_cpu_time_ratio": 0.2},
    "IO140": {"call": "write", "kind": "pipe", "threads": 1, "other_end_has": "811"},
    "IO141": {"threads": 2, "waited_ns": 10 * S, "likely_holder": "thread 703"},
    "IO142": {"pool": "ThreadPoolExecutor", "threads": 2, "busy_share_ratio": 1.0},
    "IO143": {"threads_waiting": 2, "pool": "QueuePool._do_get (pool/impl.py)"},
    "IO144": {"waits": 30, "waited_ns": 5 * S, "holder_sleeps_in": "recvfrom"},
    "IO145": {"holder": "thread 701", "longest_ns": 1_500 * MS},
    "IO146": {"connections_waiting": 3, "waited_ns": 6 * S, "began": "before the trace"},
    "IO147": {"peer": "10.0.0.9:443", "connections": 2, "in_flight_mean": 2.0},
    "IO150": {"peer": "10.0.0.9:5432", "late_answers": 12, "answers": 600, "late_ratio": 0.02},
    "IO151": {
        "waited_ns": 5 * S, "path": "/srv/state.lock", "had_by": "process 4321 python3",
        "longest_ns": 450 * MS,
    },
    "IO152": {
        "call": "fsync", "waited_for_files_ns": 4 * S, "path": "/srv/log",
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
    "IO174": {"peer": "10.0.0.9:5672", "failed_connects": 17},
    "IO175": {"processes_started": 13, "files_opened_each": 301, "cpu_per_process_ns": 400 * MS},
    "IO176": {"pool_of": PID, "pickling_estimated_ns": 4_500 * MS, "bytes_through_pipes": 2 * S},
    "IO177": {"peer": "10.0.0.9:3306", "waited_ns": 40 * S, "meanwhile_asked": "10.0.0.8:443"},
    "IO178": {"slow_requests": 20, "requests": 500, "mean_on_cpu_ns": 250 * MS},
    "IO164": {"peer": "10.0.0.9:443", "connections": 2, "sent_again": 3, "tasks_waiting": 7},
    "IO165": {"peer": "10.0.0.9:5432", "tasks_waiting": 7, "longest_ns": 9 * S},
    "IO166": {"workers_replaced": 3, "start_up_ns": S, "start_up_share_ratio": 0.5},
    "IO167": {"sends": 9_000, "mean_send_bytes": 20, "wake_ups_from_threads": 9_000},
    "IO185": {"slow_requests": 40, "mean_latency_ns": S, "of_their_time_ratio": 0.999},
    "IO186": {"connections_waiting_to_be_accepted": 6, "connections_open": 8},
    "IO187": {"slow_requests": 20, "in_locks_ratio": 1.0, "woken_by": "thread 702"},
    "IO179": {"peer": "10.0.0.9:443", "connections_made": 200, "connecting_ns": 4 * S},
    "IO190": {"child": "stopped", "stopped_ns": 10 * S, "threads_waiting": 1},
    "IO191": {"polls": 20, "slow_requests": 20, "typical_wait_ns": S},
    "IO195": {"peer": "10.0.0.9:8000", "answers": 1, "bytes_per_second": 1_600},
    "IO196": {"peer": "10.0.0.9:6379", "questions_per_second": 2_000, "bytes_per_answer": 5.0},
    "IO197": {"peer": "10.0.0.9:5672", "reconnects": 3, "longest_ns": 2 * S},
    "IO198": {
        "socket": "0.0.0.0:8125", "dropped": 900, "received": 1_100, "dropped_share_ratio": 0.45,
        "reader_busy_ratio": 0.1,
    },
    "IO199": {"connects": 40, "waited_ns": 6 * S, "socket": "lockd.sock"},
    "IO200": {"waits_that_ran_out": 9_000, "per_second": 900, "threads": 3, "cpu_ns": 900 * MS},
    "IO192": {"workers_replaced": 3, "signals": "SIGABRT", "mean_life_ns": 3 * S},
    "IO194": {"stolen_share_ratio": 0.25, "lost_estimated_ns": 2 * S},
    "IO193": {"connections_of_clients": 3, "asyncio_tasks_of_the_program": 3, "waited_ns": 9 * S},
    "IO201": {"unread_bytes": 421, "not_read_for_ns": 10 * S, "idle_workers": 2},
    "IO202": {"threads": 2, "peer": "10.0.0.9:18812", "reader": "thread 701"},
    "IO203": {"processes_started": 100, "cpu_per_process_ns": 2 * MS, "mean_life_ns": 52 * MS},
    "IO208": {"signal": "SIGTERM", "times": 7, "listens_at": "127.0.0.1:8000"},
    "IO206": {"peer": "10.0.0.7:5001", "connections": 1, "open_in": "701 python3, 702 python3"},
    "IO209": {"cut_off": 9, "answered": 391, "ended_after_ns": 30 * MS, "usual_answer_ns": 60 * MS},
    "IO215": {"peer": "10.0.0.1", "reset": 2, "closed_after_idle_ns": 5 * S},
    "IO207": {"threads_started": 500, "per_second": 50.0, "waited_ns": 400 * MS},
    "IO212": {"waited_ns": 6 * S, "calls": 700, "longest_ns": 500 * MS, "threads": 1},
    "IO204": {
        "peer": "10.0.0.9:5432",
        "connection": "10.0.0.2:51000 to 10.0.0.9:5432",
        "connections": 1,
        "used_by": "701, 702",
    },
    "IO213": {"given": 800, "done": 200, "workers": 4, "grown_bytes": 500 << 20},
    "IO205": {"pieces": 200, "bytes_per_piece": 32_000, "bytes_per_second": 640_000},
    "IO214": {"reads_at_end": 400_000, "per_second": 40_000, "cpu_ns": 9_900 * MS},
    "IO222": {"peer": "/dev/ttyUSB0", "requests": 500, "timeouts": 500, "bytes_per_answer": 15.0},
    "IO225": {"calls": 30, "longest_ns": 310 * MS},
    "IO211": {"threads_left": 1, "waited_ns": 10 * S},
    "IO216": {"requests_waiting": 7, "longest_ns": 9 * S},
    "IO219": {"tasks_of_requests": 7, "open_connections_of_clients": 0},
}  # fmt: skip


@pytest.mark.parametrize("name", ["MADE", "EVIDENCE"])
def test_every_rule_is_made(name: str) -> None:
    rules, made = [rule.id for rule in RULES], list(globals()[name])
    here = f"{name} of tests/unit/verdict/test_rules.py"
    missing = [rule for rule in rules if rule not in made]
    assert not missing, f"{here} lacks {missing} of iotrace/verdict/rules/registry.py"
    unknown = [rule for rule in made if rule not in rules]
    assert not unknown, f"{here} has {unknown}, which iotrace/verdict/rules/registry.py has not"
    moved = [rule for rule, its in zip(made, rules, strict=True) if rule != its]
    assert made == rules, f"{here} is not in the order of RULES: see {moved}"


@pytest.mark.parametrize("rule", MADE)
def test_a_defect_is_found_with_its_figures(rule: str) -> None:
    makes = MADE[rule]
    made = f"{rule}: what {makes.__module__}.{makes.__name__} makes"
    found = findings(*makes(True))
    assert rule in found, f"{made} is not found; found: {sorted(found)}"
    evidence = found[rule].evidence
    figures = {name: evidence.get(name) for name in EVIDENCE[rule]}
    assert figures == EVIDENCE[rule], (
        f"{made} has other figures than EVIDENCE of tests/unit/verdict/test_rules.py"
    )


@pytest.mark.parametrize("rule", MADE)
def test_its_repaired_twin_is_not(rule: str) -> None:
    makes = MADE[rule]
    assert rule not in findings(*makes(False)), (
        f"{rule}: {makes.__module__}.{makes.__name__}(False), the repaired twin, is found, too"
    )


def test_the_descriptor_that_blocked_the_loop_is_named() -> None:
    assert findings(*made_servers.blocked_in_loop(True))["IO104"].fd == 9
    assert findings(*made_servers.stalled(True))["IO103"].fd == 9


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


def test_waits_from_before_the_gils_address_was_known_count_where_threads_contend_for_it() -> None:
    (one,) = MADE["IO113"](True)
    row = next(row for row in one.calls if row.syscall == "futex")
    later = replace(row, kind="gil", wait_ns=row.wait_ns // 5, calls=(row.calls or 0) // 5)
    found = findings(replace(one, calls=(*one.calls, later)))["IO113"]
    assert found.evidence["waited_ns"] == row.wait_ns + later.wait_ns


def test_waits_that_are_longer_than_any_for_the_gil_are_a_librarys_own() -> None:
    (one,) = MADE["IO113"](True)
    row = next(row for row in one.calls if row.syscall == "futex")
    for waits, told in ((26, False), (600, True)):
        alike = replace(row, calls=waits, errors={"ETIMEDOUT": waits}, kind="short timeout")
        assert ("IO113" in findings(replace(one, calls=(*one.calls[:-1], alike)))) is told


def test_short_waits_for_the_gil_that_nobody_is_asked_to_end_are_hand_overs() -> None:
    (one,) = MADE["IO113"](True)
    row = next(row for row in one.calls if row.syscall == "futex")
    for waits, errors, told in (
        (60_000, {}, False), (60_000, {"ETIMEDOUT": 99}, False),
        (60_000, {"ETIMEDOUT": 601}, True), (6_000, {}, True),
    ):  # fmt: skip
        made = replace(row, calls=waits, errors=errors, kind="gil")
        assert ("IO113" in findings(replace(one, calls=(*one.calls[:-1], made)))) is told


def test_costs_rank_and_give_the_severity() -> None:
    one = event_loop(stalls=made_servers.stalls(S, 0), busy=203 * MS)
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
        replace(one, pid=pid, parent=PID)
        for pid in (701, 702, 703)
        for one in made_servers.sleeping(True)
    ]
    found = findings(master, *workers)
    evidence, cost_ns = found["IO117"].evidence, found["IO117"].cost_ns
    assert evidence["processes"] == 3
    assert cost_ns == 3 * evidence["costs_here_ns"] == 3 * evidence["asleep_ns"]


def test_lateness_is_not_reported_twice() -> None:
    rows = (descriptor(7, pickup=(101, 31 * MS, 97 * MS, 97 * MS)),)
    stalled = replace(event_loop(stalls=made_servers.stalls(S, 0), busy=203 * MS), descriptors=rows)
    (found,) = judged(stalled).findings
    assert (found.id, [one.id for one in found.symptoms]) == ("IO103", ["IO105"])
