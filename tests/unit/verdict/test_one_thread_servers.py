# SPDX-License-Identifier: Apache-2.0
"""IO146: what a server of one thread is advised to do, by what that thread waits for."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.verdict import hangs
from tests.unit.verdict.made import S, findings, in_call


def test_a_server_of_one_thread_waits_for_its_clients_next_request_or_for_something_else() -> None:
    (one,) = hangs.accept_blocked(True)
    serves = ("lib/http/server.py:419 handle_one_request", "app.py:16 main")
    reads = in_call("recvfrom", "tcp", *serves, fd=8, peer="127.0.0.1:40008", wait=6 * S)
    sleeps = in_call("clock_nanosleep", "", "app.py:9 Shop.do_GET", *serves, wait=6 * S)
    for call_of, kept in ((reads, True), (sleeps, False)):
        threads = tuple(replace(row, in_call=call_of) for row in one.threads)
        advice = findings(replace(one, threads=threads))["IO146"].advice
        assert ("waits for the next request" in advice) is kept
