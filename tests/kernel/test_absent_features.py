"""Without any one feature everything else is right, and what is lost says so: never 0."""

from __future__ import annotations

import pytest

from iotrace.engine.features import OTHER_FEATURES, absent_features
from iotrace.engine.map_limits import Limits
from iotrace.engine.tracepoints import PROBES
from iotrace.errors import ExitCode, Unsupported, UsageError
from iotrace.procfs.files import ABSENT_VARIABLE
from iotrace.report.model import Process, Report
from iotrace.tracing.trace import Trace
from tests.kernel.family import CHILDREN, THREADS, check_family, talks_of, trace_family
from tests.kernel.family import PROGRAM as FAMILY
from tests.kernel.targets import Target
from tests.kernel.test_counts import EXPECTED
from tests.kernel.test_counts import PROGRAM as CALLS
from tests.kernel.tracing import call_of, process_of, trace_work, tracing
from tests.waiting import wait_until

INDISPENSABLE = [probe.tracepoint for probe in PROBES if not probe.loses]
OPTIONAL = [probe.tracepoint for probe in PROBES if probe.loses] + sorted(OTHER_FEATURES)
IN_EACH_RUN = {
    "sched_waking",
    "skb_copy_datagram_iovec",
    "lookup_batch",
}
"""Each takes a compilation; those without which most else is done in another way."""

LOST = {
    "sched_waking": "wake-up times",
    "task_newtask": "threads and children that live under 100 ms",
    "sched_process_exec": "the moment of an exec",
    "skb_copy_datagram_iovec": "exact copy of sockets",
    "sk_data_ready": "pickup",
    "inet_sock_set_state": "accept queue, connect time",
    "tcp_send_reset": "requests on connections that were closed as idle",
    "task_rename": "new names of threads",
    "signal_deliver": "signals",
    "io_uring_submit_req": "operations",
    "io_uring_complete": "operations",
    "task_pt_regs": "calls that were running at attach",
    "run_delay": "switches that the kernel hides",
    "ipv6": "IPv6 addresses of closed sockets",
    "syscall": "calls in progress at attach",
}
"""Feature -> its entry in quality.unavailable. The others only have another way to the same."""

STREAM_READS = [
    (call, kind) for call, kind in EXPECTED if kind in ("tcp", "unix") and call.startswith("recv")
]
"""A small UDP datagram is copied without an event; its copy is always estimated."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name in IN_EACH_RUN else pytest.mark.thorough)
        for name in OPTIONAL
    ],
)
def without(request: pytest.FixtureRequest) -> tuple[str, Report]:
    """The workload of known counts, traced without one feature."""
    feature: str = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ABSENT_VARIABLE, feature)
        with Target(CALLS) as target:
            return feature, trace_work(target)


@pytest.fixture
def worker(without: tuple[str, Report]) -> Process:
    _, report = without
    return process_of(report, report.processes[0].pid)


def test_every_count_is_right(without: tuple[str, Report], worker: Process) -> None:
    wrong = {
        key: (row.calls, row.bytes, row.errors)
        for key, expected in EXPECTED.items()
        if (row := call_of(worker, *key)) and (row.calls, row.bytes, row.errors) != expected
    }
    assert not wrong


def test_what_is_lost_is_named(without: tuple[str, Report]) -> None:
    feature, report = without
    lost = set(report.quality.unavailable) - {"probe_ns"}
    named = {LOST[feature]} if feature in LOST else set()
    assert lost == named | ({"requests"} if feature == "sk_data_ready" else set())
    assert all(report.quality.unavailable.values())


def test_all_time_is_accounted_for(without: tuple[str, Report], worker: Process) -> None:
    _, report = without
    (thread,) = worker.threads
    assert report.quality.unaccounted_ratio < 0.01
    assert thread.states_ns.wait["signal"] > 0  # it waited at its gate
    assert thread.states_ns.runq > 0
    assert thread.states_ns.copy > 0


def test_the_copy_of_sockets_is_exact_or_marked(
    without: tuple[str, Report], worker: Process
) -> None:
    feature, _ = without
    reads = [call_of(worker, call, kind) for call, kind in STREAM_READS]
    assert {row.copy_estimated for row in reads} == {feature == "skb_copy_datagram_iovec"}
    datagrams = call_of(worker, "recvfrom", "udp")
    assert datagrams.copy_estimated
    assert all(row.copy_ns > 0 for row in (*reads, datagrams))


def test_pickups_are_there_or_null(without: tuple[str, Report], worker: Process) -> None:
    feature, _ = without
    pickups = [row.pickup_ns for row in worker.descriptors if row.kind in ("tcp", "unix")]
    assert any(pickups) == (feature != "sk_data_ready")


def test_signals_are_there_or_none(without: tuple[str, Report], worker: Process) -> None:
    feature, _ = without
    assert bool(worker.signals) == (feature != "signal_deliver")


def test_threads_and_children_are_followed(
    without: tuple[str, Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    feature, _ = without
    if feature in ("task_newtask", "sched_process_exec"):
        return  # the next two tests
    monkeypatch.setenv(ABSENT_VARIABLE, feature)
    with Target(FAMILY) as target:
        check_family(trace_family(target), target.pid)


def test_without_exec_events_threads_and_children_are_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ABSENT_VARIABLE, "sched_process_exec")
    with Target(FAMILY) as target:
        report = trace_work(target)
        assert talks_of(process_of(report, target.pid)) == THREADS
        children = [process for process in report.processes if process.parent == target.pid]
        assert sum(talks_of(process) for process in children) == CHILDREN


def test_without_news_of_threads_they_are_found_by_looking(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ABSENT_VARIABLE, "task_newtask")
    with Target("sleepers.py") as target, tracing(target.pid) as trace:
        target.go()
        target.wait_until_finished()
        wait_until(lambda: len(trace.processes_alive()) == 1 + 3, "the children to be found")
        report = trace.report(trace.snapshot())
        assert len(process_of(report, target.pid).threads) == 1 + 5
        for thread in process_of(report, target.pid).threads[1:]:
            assert thread.states_ns.wait["sleep"] == thread.lifetime_ns > 0


def test_a_sleeper_is_never_taken_for_one_that_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /proc does not tell in which call it sleeps, its wait is "other"; and not its CPU."""
    monkeypatch.setenv(ABSENT_VARIABLE, "syscall")
    with Target("sleepers.py") as target, tracing(target.pid) as trace:
        wait_until(lambda: sleeps_in_gate(target.pid), "the gate")
        report = trace.report(trace.snapshot())
        (thread,) = process_of(report, target.pid).threads
        assert thread.states_ns.wait["other"] == thread.lifetime_ns > 0
        assert thread.states_ns.user == 0


def sleeps_in_gate(pid: int) -> bool:
    """Asked without /proc/PID/syscall, which seems not to be there."""
    from iotrace.procfs.stat import read_stat

    return read_stat(pid).state == "S"


@pytest.mark.parametrize("feature", INDISPENSABLE)
def test_nothing_works_without_these(feature: str) -> None:
    with pytest.raises(Unsupported) as refused:
        Trace(Limits(), frozenset({feature}))
    assert refused.value.code == ExitCode.UNSUPPORTED
    assert feature in refused.value.what


def test_two_lacks_at_once_leave_the_run_queue_in_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ABSENT_VARIABLE, "sched_waking,run_delay")
    with Target(CALLS) as target:
        report = trace_work(target)
    assert "run queue after a wait" in report.quality.unavailable


def test_an_unknown_feature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ABSENT_VARIABLE, "sched_waking,nonsense")
    with pytest.raises(UsageError, match="nonsense"):
        absent_features()
