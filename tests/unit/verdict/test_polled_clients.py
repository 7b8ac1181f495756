"""IO142: threads that wait for clients on sockets with a timeout, which are polled first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.verdict import hangs
from tests.unit.verdict.made import MS, S, descriptor, findings, in_call, thread


@pytest.mark.parametrize(("function", "told"), [("readinto", True), ("write", False)])
def test_a_poll_for_the_next_request_is_told_from_one_for_room(function: str, told: bool) -> None:
    """cheroot: each thread waits for the next request of its kept connection."""
    (one,) = hangs.full_pool(True)
    place = f"lib/socket.py:706 SocketIO.{function}"
    call = in_call("poll", "tcp", place, "app.py:7 view", *hangs.WORKER, fd=9, wait=200 * MS)
    states = thread(poll=10 * S).states_ns
    threads = tuple(
        replace(row, in_call=call, states_ns=states, idle_ns={"poll": 9 * S}) for row in one.threads
    )
    row = descriptor(9, local="127.0.0.1:8000", peer="10.0.0.7:41000")
    found = findings(replace(one, threads=threads, descriptors=(row,)))["IO142"]
    assert ("with kept connections" in found.title) is told, found.title
