"""Exchanges: known counts, injected delays in each part, and nothing counted twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

from iotrace.engine.constants import Phase
from iotrace.engine.map_limits import Limits
from iotrace.report.detail import Detail
from iotrace.report.model import Report
from iotrace.report.requests import Requests, RequestTier, SlowRequest
from iotrace.tracing.trace import Trace
from tests.kernel.targets import Target, command
from tests.kernel.tracing import process_of, report_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import DEADLINE_S, wait_until

DELAY_MS = 60
DELAY_NS = DELAY_MS * 1_000_000
_EXCHANGES = 23


class Server:
    """tests/kernel/programs/request_server.py, and connections to it."""

    def __init__(self, how: str, path: Path | None = None) -> None:
        family = ("unix", str(path)) if path else ("tcp",)
        self.process = subprocess.Popen(
            command("request_server.py", how, *family), stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        facts = json.loads(self.process.stdout.readline())
        self.pid: int = facts["pid"]
        self._where = facts["where"] if path else tuple(facts["where"])

    def connect(self) -> socket.socket:
        """A new connection."""
        if isinstance(self._where, str):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self._where)
            return connection
        connection = socket.create_connection(self._where)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()


def ask(connection: socket.socket, what: str = "now") -> bytes:
    """One request and its whole answer; b"": the connection was closed instead."""
    connection.sendall(what.encode() + b"\n")
    answer = b""
    while not answer.endswith(b"\n"):
        piece = connection.recv(100)
        if not piece:
            break
        answer += piece
    return answer


def requests_of(report: Report, pid: int) -> Requests:
    """The one listener's row, in which everything must add up."""
    (row,) = process_of(report, pid).requests
    check_parts(row)
    return row


def check_parts(row: Requests) -> None:
    """The parts of all exchanges add up to their latency, to the nanosecond."""
    assert sum(tier.count for tier in row.tiers) == row.exchanges
    parts: list[RequestTier | SlowRequest] = [*row.tiers, *row.exemplars]
    for one in parts:
        parts_ns = one.queue_ns + sum(one.pickup_ns.values()) + sum(one.service_ns.values())
        assert parts_ns == one.latency_ns
    for tier in row.tiers:
        assert tier.from_ns * tier.count <= tier.latency_ns <= tier.to_ns * tier.count


@pytest.fixture(params=["tcp", "unix"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Of the unix socket to listen on; None: TCP."""
    return tmp_path / "server.sock" if request.param == "unix" else None


@pytest.fixture(params=["full", "sockets"])
def limits(request: pytest.FixtureRequest) -> Limits:
    """Of the details that know requests."""
    return Limits(detail=Detail(request.param))


def test_every_exchange_is_counted_once_and_split_exactly(
    path: Path | None, limits: Limits
) -> None:
    with Server("loop", path) as server, tracing(server.pid, limits=limits) as trace:
        connections = [server.connect() for _ in range(3)]
        for _ in range(_EXCHANGES):
            for connection in connections:
                assert ask(connection) == b"ok\n"
        for connection in connections:
            connection.close()
        row = requests_of(report_of(trace), server.pid)
    first = 1 if path else 0  # its listener was not known before the first accept, or read
    assert row.exchanges + row.undated >= 3 * _EXCHANGES
    assert row.exchanges + row.undated == 3 * _EXCHANGES
    assert row.undated <= first
    accepted = 3 - first if limits.detail is Detail.SOCKETS else 3
    assert (row.connections, row.unanswered, row.several_at_once) == (accepted, 0, 0)
    assert row.unknown == 0
    assert row.listener == (f"unix:{path}" if path else f"127.0.0.1:{server._where[1]}")


def test_an_arrival_in_the_middle_of_a_call_is_not_split_by_older_sums(limits: Limits) -> None:
    exchanges = 9 * _EXCHANGES  # of which some come while the thread's record is written
    with (
        Server("polls") as server,
        tracing(server.pid, limits=limits) as trace,
        server.connect() as connection,
    ):
        for _ in range(exchanges):
            time.sleep(0.005)  # what is older would show
            ask(connection)
        row = requests_of(report_of(trace), server.pid)
    assert row.exchanges == exchanges
    assert row.unknown <= 0.01 * exchanges


@pytest.mark.parametrize("state", ["sleep", "compute"])
def test_what_is_done_for_an_answer_is_in_its_service(state: str, limits: Limits) -> None:
    with (
        Server("connections") as server,
        tracing(server.pid, limits=limits) as trace,
        server.connect() as connection,
    ):
        ask(connection)
        ask(connection, f"{state} {DELAY_MS}")
        ask(connection)
        row = requests_of(report_of(trace), server.pid)
    slow = max(row.exemplars, key=lambda one: sum(one.service_ns.values()))
    names = {"sleep": ("sleep",), "compute": ("cpu", "user", "kernel")}[state]
    assert sum(slow.service_ns.get(name, 0) for name in names) >= 0.98 * DELAY_NS
    assert sum(slow.pickup_ns.values()) + slow.queue_ns < DELAY_NS / 2
    assert slow.tid == server.pid
    if state == "sleep" and limits.detail is Detail.FULL:
        wait = slow.longest_wait
        assert wait is not None
        assert wait.stack[wait.own].function == "answer"
        assert (wait.syscall, wait.wait_ns >= DELAY_NS) == ("clock_nanosleep", True)


def test_who_waits_for_a_busy_loop_has_its_time_in_the_pickup(limits: Limits) -> None:
    with (
        Server("loop") as server,
        tracing(server.pid, limits=limits) as trace,
        server.connect() as first,
        server.connect() as second,
    ):
        ask(first)
        ask(second)
        first.sendall(b"sleep %d\n" % DELAY_MS)
        wait_until(lambda: sleeps_in(server.pid, server.pid, "clock_nanosleep"), "its sleep")
        assert ask(second) == b"ok\n"
        row = requests_of(report_of(trace), server.pid)
    victim, culprit = sorted(row.exemplars[:2], key=lambda one: sum(one.service_ns.values()))
    assert culprit.service_ns["sleep"] >= 0.98 * DELAY_NS
    assert victim.pickup_ns["sleep"] > 0.6 * DELAY_NS
    assert victim.pickup_ns["sleep"] > 0.9 * victim.latency_ns
    assert (row.exchanges, row.several_at_once) == (4, 0)


def test_a_connection_that_waits_for_an_accept_has_its_time_in_the_queue(limits: Limits) -> None:
    with (
        Server("connections") as server,
        tracing(server.pid, limits=limits) as trace,
        server.connect() as first,
        server.connect() as second,
    ):
        ask(first)
        second.sendall(b"now\n")
        ask(first, f"sleep {DELAY_MS}")
        trace.look()
        (row,) = process_of(report_of(trace), server.pid).requests
        assert row.unanswered == 1, "the one that nobody has accepted"
        assert row.oldest_unanswered_ns is not None
        assert row.oldest_unanswered_ns >= DELAY_NS
        first.close()
        assert second.recv(100) == b"ok\n"
        row = requests_of(report_of(trace), server.pid)
    assert (row.exchanges, row.unanswered) == (3, 0)
    if limits.detail is Detail.SOCKETS:  # nothing tells when it was accepted
        waited = max(row.exemplars, key=lambda one: one.pickup_ns.get("sleep", 0))
        assert waited.pickup_ns["sleep"] > 0.9 * DELAY_NS
        for_the_first_ns = waited.pickup_ns["sleep"] + waited.pickup_ns["recv"]
        assert for_the_first_ns > 0.9 * waited.latency_ns
        assert row.queue_ns is None
        return
    waited = max(row.exemplars, key=lambda one: one.queue_ns)
    assert waited.queue_ns >= DELAY_NS
    assert waited.queue_ns > 0.9 * waited.latency_ns
    assert row.queue_ns is not None
    assert row.queue_ns.count == 2
    assert row.queue_ns.max >= waited.queue_ns


def test_the_last_byte_comes_after_the_first(limits: Limits) -> None:
    with Server("connections") as server, tracing(server.pid, limits=limits) as trace:
        with server.connect() as connection:
            for _ in range(3):
                ask(connection, "two")
        wait_until(lambda: sleeps_in(server.pid, server.pid, "accept", "accept4"), "the end")
        row = requests_of(report_of(trace), server.pid)
    assert row.latency_ns is not None
    assert row.last_byte_ns is not None
    assert (row.exchanges, row.last_byte_ns.count) == (3, 3)
    assert row.last_byte_ns.p50 > 15_000_000 > row.latency_ns.p50


def test_a_connection_older_than_the_trace_is_met_at_its_first_data(limits: Limits) -> None:
    with Server("loop") as server, server.connect() as connection:
        ask(connection)
        with tracing(server.pid, limits=limits) as trace:
            ask(connection, f"sleep {DELAY_MS}")
            row = requests_of(report_of(trace), server.pid)
    assert (row.exchanges, row.undated, row.unknown, row.connections) == (1, 0, 0, 0)
    assert row.exemplars[0].service_ns["sleep"] >= DELAY_NS
    assert row.exemplars[0].peer


def test_a_wait_is_idle_unless_somebody_waits_for_it(limits: Limits) -> None:
    with (
        Server("pool") as server,
        tracing(server.pid, limits=limits) as trace,
        server.connect() as connection,
    ):
        ask(connection)
        with server.connect() as other:
            ask(other)
        wait_until(lambda: _free_workers(server.pid) == 1, "its worker to be in the queue")
        ask(connection, f"lock {DELAY_MS}")
        threads = process_of(report_of(trace), server.pid).threads
    served = sorted(
        (one.states_ns.wait["lock"] - one.idle_ns.get("lock", 0), one.idle_ns["lock"])
        for one in threads
        if one.idle_ns is not None
    )
    assert len(served) == 2, "the main thread has read no request"
    (of_idle_one, idle_ns), (of_busy_one, _) = served
    assert of_busy_one >= DELAY_NS
    assert of_idle_one < DELAY_NS / 2
    assert idle_ns >= DELAY_NS


def test_requests_that_threads_hand_over_are_split_exactly(limits: Limits) -> None:
    with (
        Server("turns") as server,
        tracing(server.pid, limits=limits) as trace,
        server.connect() as connection,
    ):
        for _ in range(_EXCHANGES):
            ask(connection)
        row = requests_of(report_of(trace), server.pid)
    assert (row.exchanges, row.unknown, row.several_at_once) == (_EXCHANGES, 0, 0)
    assert row.handed_over > _EXCHANGES / 2


def _free_workers(pid: int) -> int:
    tids = [int(one.name) for one in Path(f"/proc/{pid}/task").iterdir()]
    return sum(sleeps_in(pid, tid, "futex") for tid in tids)


def test_which_end_of_an_older_connection_a_process_has_is_known_or_said_not_to_be() -> None:
    with contextlib.ExitStack() as ends:
        upstream = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = upstream.getsockname()[1]
        target = Target("older_connections.py", port)
        ends.callback(target.close)
        clients = [ends.enter_context(_client(target.facts["port"]))]
        listening = target.read_line()["port"]
        clients.append(ends.enter_context(_client(listening)))
        server = ends.enter_context(upstream.accept()[0])
        trace = ends.enter_context(tracing(target.pid))
        for client in clients:
            client.sendall(b"?")
            server.sendall(server.recv(1))
            assert client.recv(1) == b"?"
        report = report_of(trace)
    process = process_of(report, target.pid)
    assert [(row.listener, row.exchanges) for row in process.requests] == [
        (f"127.0.0.1:{listening}", 1)
    ]
    assert [(row.peer, row.calls) for row in process.upstreams] == [(f"127.0.0.1:{port}", 2)]
    assert [note for note in report.quality.notes if "nothing tells who made them" in note]


def _client(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def test_ports_of_processes_that_are_followed_one_after_the_other_stay_known() -> None:
    with Server("loop") as first, Server("loop") as second, first.connect() as connection:
        ask(connection)
        with tracing(first.pid, second.pid) as trace:
            ask(connection)
            process = process_of(report_of(trace), first.pid)
    assert [row.exchanges for row in process.requests] == [1]
    assert process.upstreams == ()


def test_what_is_never_answered_is_owed_until_the_connection_ends(limits: Limits) -> None:
    with Server("loop") as server, tracing(server.pid, limits=limits) as trace:
        with server.connect() as connection:
            connection.sendall(b"never\n")
            wait_until(lambda: _reads(trace, server.pid) > 0, "its read")
            begin = time.monotonic_ns()
            wait_until(lambda: time.monotonic_ns() - begin > DELAY_NS, "some time")
            row = requests_of(report_of(trace), server.pid)
            assert (row.exchanges, row.unanswered) == (0, 1)
            assert row.oldest_unanswered_ns is not None
            assert row.oldest_unanswered_ns >= DELAY_NS
        wait_until(lambda: not _phases(trace), "the connection to be forgotten")
        row = requests_of(report_of(trace), server.pid)
        assert (row.exchanges, row.unanswered, row.oldest_unanswered_ns) == (0, 0, None)


def test_what_had_arrived_before_the_trace_is_owed_since_then(limits: Limits) -> None:
    with Server("loop") as server, server.connect() as owed:
        assert ask(owed) == b"ok\n"
        os.kill(server.pid, signal.SIGSTOP)
        wait_until(lambda: _is_stopped(server.pid), "its stop")
        owed.sendall(b"never\n")
        with tracing(server.pid, limits=limits) as trace:
            os.kill(server.pid, signal.SIGCONT)
            wait_until(lambda: _reads(trace, server.pid) > 0, "its read")
            report = report_of(trace)
    row = requests_of(report, server.pid)
    assert row.unanswered == 1
    assert row.oldest_unanswered_ns is not None
    assert 0 < row.oldest_unanswered_ns <= report.duration_ns


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _reads(trace: Trace, pid: int) -> int:
    process = process_of(trace.report(trace.snapshot()), pid)
    return sum(call.calls or 0 for call in process.calls if call.syscall == "recvfrom")


def _phases(trace: Trace) -> list[int]:
    """Of all connections that are known, but for those with nothing under way."""
    table = trace.probes.table("exchanges")
    members = table.layout.members("phase", "sock")
    taken = table.taken(trace.probes.limits.sockets, "phase")
    found = [table.unguarded(index, members) for index in taken]
    return [phase for phase, sock in found if sock and phase != Phase.IDLE]


def test_hostile_clients_leave_nothing_behind_and_are_counted_once(limits: Limits) -> None:
    with Server("loop") as server, tracing(server.pid, limits=limits) as trace:
        for _ in range(_EXCHANGES):
            half = server.connect()
            half.sendall(b"no")
            half.sendall(b"w\n")  # the request comes in two segments, which is one exchange
            assert half.recv(100) == b"ok\n"
            half.close()
            reset = server.connect()
            reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            reset.close()
            empty = server.connect()
            empty.close()
            closed = server.connect()
            assert ask(closed, "close") == b""
            closed.close()
        wait_until(lambda: not _phases(trace), "nothing to be under way")
        row = requests_of(report_of(trace), server.pid)
        entries = trace.probes.map("readiness").items
        wait_until(lambda: len(list(entries())) <= 1, "no connection to be known")
    assert (row.exchanges, row.unanswered, row.several_at_once) == (_EXCHANGES, 0, 0)
