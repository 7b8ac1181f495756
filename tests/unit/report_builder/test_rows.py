"""From totals to rows."""

import socket
from dataclasses import replace

from iotrace.procfs.net_tables import Socket
from iotrace.procfs.tcp_state import TcpState
from iotrace.report.model import LeftByClients, OneSided, OpenSockets
from iotrace.report_builder.call_rows import call_row, error_name
from iotrace.report_builder.descriptor_rows import descriptor_row, open_sockets
from iotrace.report_builder.open_file_rows import pipe_calls
from iotrace.report_builder.thread_rows import thread_row
from iotrace.snapshot import histogram
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.totals import DescriptorTotals, ThreadKey
from tests.unit.snapshot.test_arithmetic import call, thread

_EMPTY = DescriptorTotals(
    *(1, 0, 0, 0, b"", 0, b"", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), (0,) * (histogram.BUCKETS // 2)
)


def test_states_of_a_thread_add_up_to_its_lifetime() -> None:
    row = thread_row(ThreadKey(7, 7, 100), thread(3), from_ns=40)
    states = row.states_ns
    total = states.user + states.kernel + states.copy + states.runq + states.unaccounted
    assert total + sum(states.wait.values()) == row.lifetime_ns == 84
    assert states.wait["recv"] == 33
    assert (row.started_ns, row.ended_ns) == (60, None)


def test_a_thread_that_was_there_before_began_with_the_trace() -> None:
    assert thread_row(ThreadKey(7, 7, 30), thread(1), from_ns=40).started_ns == 0


def test_a_call_is_the_sum_of_its_phases() -> None:
    row = call_row(7, "recvfrom", "tcp", call(5, 900))
    assert row.total_ns == row.wait_ns + row.runq_ns + row.copy_ns + row.kernel_ns == 20
    assert row.errors == {"EAGAIN": 5, "ECONNRESET": 5}
    assert row.latency_ns is not None
    assert row.latency_ns.max == 900


def test_a_call_that_never_returned_has_no_latency() -> None:
    row = call_row(7, "recvfrom", "tcp", replace(call(5, 0), calls=0, sleeps=0))
    assert row.latency_ns is None
    assert row.in_flight == 1


def test_errors_that_only_the_kernel_knows_are_named_as_strace_names_them() -> None:
    assert error_name(512) == "ERESTARTSYS"
    assert error_name(530) == "errno 530"


def _tcp(inode: int, peer_port: int, **members: object) -> DescriptorTotals:
    totals = replace(
        _EMPTY,
        inode=inode,
        family=socket.AF_INET,
        local=bytes([127, 0, 0, 1, *[0] * 12]),
        local_port=8000,
        peer=bytes([10, 0, 0, 7, *[0] * 12]),
        peer_port=peer_port,
        calls=3,
        bytes_in=5,
    )
    return replace(totals, **members)


def test_calls_on_a_pipe_are_those_of_all_threads_and_of_nothing_else() -> None:
    threads = [ThreadKey(7, tid, 30) for tid in (7, 8, 9)]
    rows = [
        ((threads[0], 5, "pipe"), replace(_EMPTY, calls=3)),
        ((threads[1], 5, "pipe"), replace(_EMPTY, calls=4)),
        ((threads[2], 5, "tcp"), replace(_EMPTY, calls=90)),
        ((threads[2], 6, "pipe"), replace(_EMPTY, calls=0)),
    ]
    assert pipe_calls(rows) == {5: 7, 6: 0}


def test_threads_that_share_an_object_see_one() -> None:
    row = descriptor_row(5, "tcp", [_tcp(70, 9), _tcp(70, 9)], None, 0)
    assert (row.opened, row.calls, row.bytes_in) == (1, 6, 10)


def test_threads_with_an_object_each_see_several() -> None:
    row = descriptor_row(5, "tcp", [_tcp(70, 9), _tcp(71, 11, opened=4)], None, 0)
    assert row.opened == 5
    assert row.peer == "10.0.0.7:11"
    assert row.local == "127.0.0.1:8000"


def test_pickups_of_all_threads_count() -> None:
    one = [0] * (histogram.BUCKETS // 2)
    one[60] = 3
    parts = [
        _tcp(70, 9, pickups=3, pickup_max_ns=10**9, pickup=tuple(one)),
        _tcp(70, 9, pickups=3, pickup_max_ns=10**8, pickup=tuple(one)),
    ]
    row = descriptor_row(5, "tcp", parts, None, 0)
    assert row.pickup_ns is not None
    assert (row.pickup_ns.count, row.pickup_ns.max) == (6, 10**9)


def _facts(*sockets: Socket) -> ProcessFacts:
    by_inode = {one.inode: one for one in sockets}
    return ProcessFacts(7, 1, "python3", (), None, None, sockets=by_inode)


def _socket(inode: int, state: str, unread: int | None, pending: int | None = None) -> Socket:
    return Socket(
        inode, "tcp", socket.AF_INET, "127.0.0.1:8000", "", state, unread, 0, pending=pending
    )


def test_what_lay_in_the_queues_of_a_socket_at_the_end() -> None:
    facts = _facts(_socket(70, "established", 997))
    row = descriptor_row(5, "tcp", [_tcp(70, 9, unread_since_ns=30)], facts, 130)
    assert (row.unread_bytes, row.pending, row.unread_ns) == (997, None, 100)
    listener = descriptor_row(4, "tcp", [_tcp(71, 0)], _facts(_socket(71, "listen", None, 3)), 0)
    assert (listener.unread_bytes, listener.pending) == (None, 3)


def test_open_sockets_count_whether_or_not_a_call_used_them() -> None:
    found = open_sockets(
        _facts(
            _socket(70, "listen", None, 3),
            _socket(71, "established", 997),
            _socket(72, "established", 0),
            _socket(73, "close_wait", 11),
        )
    )
    left = LeftByClients(1, 3, 1, "", None)
    assert found == OpenSockets(4, ("127.0.0.1:8000",), pending=3, unread=1, left=left)


def test_accepted_connections_that_clients_have_left() -> None:
    peers = ("10.0.0.7:51001", "10.0.0.8:51002", "10.0.0.7:51003", "10.0.0.9:51004")
    states = ("close_wait", "close_wait", "close_wait", "established")
    rows = [
        replace(_socket(71 + place, state, 0), peer=peer)
        for place, (peer, state) in enumerate(zip(peers, states, strict=True))
    ]
    outgoing = replace(_socket(80, "close_wait", 0), local="127.0.0.1:51000", peer="10.0.0.1:80")
    facts = _facts(_socket(70, "listen", None, 0), *rows, outgoing)
    known = {
        inode: TcpState(inode, False, 0, 0, None, 0, left_ns=left_ns)
        for inode, left_ns in ((71, 10**9), (72, 2 * 10**9), (73, 9 * 10**9))
    }
    left = open_sockets(replace(facts, tcp=known)).left
    assert left == LeftByClients(3, 4, 2, "10.0.0.7", 2 * 10**9)
    untold = open_sockets(facts).left
    assert untold is not None
    assert untold.typical_ns is None


def test_connections_on_which_one_side_alone_has_spoken() -> None:
    """What was asked just now is being answered."""
    rows = [
        replace(_socket(71 + place, "established", 0), peer=f"10.0.0.7:{51_001 + place}")
        for place in range(3)
    ]
    facts = _facts(_socket(70, "listen", None, 0), *rows)
    known = {
        71 + place: TcpState(71 + place, False, 0, 0, None, 0, segments_in=1, one_sided_ns=since)
        for place, since in enumerate((9 * 10**9, 2 * 10**9, 3 * 10**6))
    }
    found = open_sockets(replace(facts, tcp=known)).one_sided
    assert found == (OneSided("127.0.0.1:8000", True, 2, 9 * 10**9, 1),)


def test_sockets_that_nobody_looked_at_are_not_none() -> None:
    assert open_sockets(None) == open_sockets(replace(_facts(), sockets=None)) == OpenSockets(None)
    assert open_sockets(_facts()) == OpenSockets(0, (), 0, 0)


def test_nobody_knows_what_was_never_resolved() -> None:
    row = descriptor_row(5, "pipe", [replace(_EMPTY, calls=1)], None, 0)
    assert (row.nonblocking, row.local, row.peer) == (None, "", "")
