"""What UDP sockets had dropped before a trace is not counted."""

from __future__ import annotations

import socket

from iotrace.procfs.net_tables import Socket
from iotrace.snapshot.drop_book import DropBook


def _seen(dropped: int) -> dict[int, Socket]:
    udp = Socket(77, "udp", socket.AF_INET, "a:1", "", "close", 0, 0, dropped=dropped)
    return {77: udp, 78: Socket(78, "tcp", socket.AF_INET, "a:2", "", "listen", None, None, 0)}


def _dropped(book: DropBook, pid: int, dropped: int) -> dict[int, int | None]:
    return {inode: one.dropped for inode, one in book.look(pid, _seen(dropped)).items()}


def test_drops_count_from_the_beginning_of_the_trace() -> None:
    book = DropBook({1})
    assert _dropped(book, 1, 40) == {77: 0}
    assert _dropped(book, 1, 43) == {77: 3}
    # A process that began later had none of them before.
    assert _dropped(book, 2, 43) == {77: 43}
    # The number of a process that has ended comes again: to one that began later.
    book.forget([1])
    assert _dropped(DropBook(set()), 1, 43) == {77: 43}


def test_a_socket_that_drops_for_the_first_time() -> None:
    book = DropBook({1})
    assert _dropped(book, 1, 0) == {}
    assert _dropped(book, 1, 5) == {77: 5}
