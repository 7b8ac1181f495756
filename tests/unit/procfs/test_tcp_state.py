"""The kernel's own figures of TCP sockets, through a copy of the descriptor."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from iotrace.procfs import tcp_state
from iotrace.procfs.tcp_state import read_tcp_states
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def _pidfd_getfd() -> None:
    with socket.socket() as one:
        if not read_tcp_states(os.getpid(), [one.fileno()]):
            pytest.skip("pidfd_getfd is not to be had here")


def test_listeners_and_connections_are_told_apart() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), backlog=3) as listener,
        socket.create_connection(listener.getsockname()) as client,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listens, connected = read_tcp_states(os.getpid(), [listener.fileno(), client.fileno()])
    assert (listens.max_pending, listens.dropped) == (3, 0)
    assert (connected.max_pending, connected.nodelay, connected.retransmits) == (None, True, 0)


def test_segments_that_came_in_are_counted() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0] as server,
    ):
        for _ in range(7):  # one at a time: each is a segment of its own
            client.sendall(b"a")
            server.recv(1)
        (state,) = read_tcp_states(os.getpid(), [server.fileno()])
    assert (state.segments_in, state.out_of_order) == (7, 0)


def test_since_when_a_peer_has_closed_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        with listener.accept()[0] as server:
            client.close()
            time.sleep(0.2)
            (left,) = read_tcp_states(os.getpid(), [server.fileno()])
        with socket.create_connection(listener.getsockname()) as client:
            (stays,) = read_tcp_states(os.getpid(), [client.fileno()])
    assert left.left_ns >= 150_000_000  # the kernel's clock of this may have ticks of 10 ms
    assert stays.left_ns == 0


def test_what_was_sent_again_for_a_late_acknowledgement_is_no_loss() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0] as server,
    ):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(5):
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
            client.sendall(b"a")
            client.sendall(b"b")  # two segments: the kernel probes before the delayed ACK comes
            time.sleep(0.1)
            server.sendall(server.recv(10))
            client.recv(10)
        info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        (state,) = read_tcp_states(os.getpid(), [client.fileno()])
    if not int.from_bytes(info[100:104], sys.byteorder):  # tcpi_total_retrans
        pytest.skip("the kernel has sent nothing again")
    assert state.retransmits == 0


def test_last_acks_that_are_put_off_are_no_drops() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
        for _ in range(4):
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(b"x")
                listener.accept()[0].close()
        (state,) = read_tcp_states(os.getpid(), [listener.fileno()])
    assert state.dropped == 0


def test_how_long_a_peer_has_been_silent_is_what_the_timeouts_add_up_to() -> None:
    def info(state: int, tries: int, backoff: int, timeout_us: int) -> bytes:
        return bytes((state, 0, tries, 0, backoff, 0, 0, 0)) + timeout_us.to_bytes(4, sys.byteorder)

    established, syn_sent = 1, 2
    assert tcp_state._silent_ns(info(established, 3, 3, 1_600_000)) == 1_400_000_000
    assert tcp_state._silent_ns(info(established, 0, 0, 200_000)) == 0
    assert tcp_state._silent_ns(info(syn_sent, 3, 0, 1_000_000)) == 3_000_000_000
    assert tcp_state._shut_ns(info(established, 0, 3, 200_000)) == 1_400_000_000
    assert tcp_state._shut_ns(info(established, 0, 0, 200_000)) == 0


def test_what_is_no_tcp_socket_is_left_out() -> None:
    ours, theirs = socket.socketpair()
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with ours, theirs, Path("/dev/null").open() as file:
        fds = [ours.fileno(), file.fileno(), 1 << 20]
        assert read_tcp_states(os.getpid(), fds) == []
    assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208


def test_who_has_asked_and_got_no_answer_is_told_from_both_ends() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as client,
        listener.accept()[0] as server,
    ):

        def one_sided() -> list[bool]:
            ends = read_tcp_states(os.getpid(), [client.fileno(), server.fileno()])
            return [one.one_sided_ns > 0 for one in ends]

        assert one_sided() == [False, False]
        client.sendall(b"question")
        server.recv(100)
        # The kernel counts in ms, and acknowledges after 40 of them.
        wait_until(lambda: one_sided() == [True, True], "both to know that no answer has come")
        server.sendall(b"answer")
        client.recv(100)
        wait_until(lambda: one_sided() == [False, False], "both to know that it has")
