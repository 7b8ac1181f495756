"""What TCP sockets had counted before a trace, and for how long that is remembered."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from iotrace.procfs.descriptors import Descriptor
from iotrace.procfs.net_tables import Socket
from iotrace.procfs.tcp_state import TcpState
from iotrace.snapshot import tcp_book
from iotrace.snapshot.tcp_book import TcpBook

INODE = 77
OPEN = Descriptor(fd=4, kind="tcp", target="", inode=INODE, info=None)
CONNECTED = Socket(INODE, "tcp", socket.AF_INET, "a:1", "b:2", "established", 0, 0)


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> dict[int, TcpState]:
    """What the kernel says, by descriptor."""
    told: dict[int, TcpState] = {}

    def read(reader: Any, pid: int, fds: list[int]) -> dict[int, TcpState]:
        return {fd: told[fd] for fd in fds}

    monkeypatch.setattr(tcp_book, "read_tcp_states", read)
    return told


def _retransmits(book: TcpBook, pid: int) -> int:
    return book.look(pid, [OPEN], {INODE: CONNECTED})[INODE].retransmits


def test_what_was_counted_before_is_forgotten_with_the_last_process_that_has_the_socket(
    counters: dict[int, TcpState],
) -> None:
    book = TcpBook(None, {1, 2})  # type: ignore[arg-type]  # nothing is asked of the reader
    counters[4] = TcpState(4, False, 10, 0, None, 0)
    assert _retransmits(book, 1) == _retransmits(book, 2) == 0
    counters[4] = TcpState(4, False, 13, 0, None, 0)
    assert _retransmits(book, 1) == 3
    book.forget([1])
    assert _retransmits(book, 2) == 3
    book.forget([2])
    # The number of the process, and that of the socket, come again: it is another one.
    book_of_new = TcpBook(None, set())  # type: ignore[arg-type]
    assert _retransmits(book_of_new, 2) == 13
    counters[4] = TcpState(4, False, 5, 0, None, 0)
    assert _retransmits(book, 2) == 0
