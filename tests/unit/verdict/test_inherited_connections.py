"""IO206: connections that a server no longer has, and that processes it has forked have still."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from tests.unit.verdict.made import MS, S, findings, loop
from tests.unit.verdict.made_ends import inherited_connections


def _found(*processes: Process) -> bool:
    return "IO206" in findings(*processes)


def test_where_they_were_forked_is_in_the_lines() -> None:
    found = findings(*inherited_connections(True))["IO206"]
    assert found.severity == "high"
    assert "1 connection that this server no longer has is still open in 2 processes" in found.title
    assert found.lines == ("server.py:17 start: forked there",)


def test_workers_of_a_server_that_answers_nobody_itself_have_accepted_them() -> None:
    server, *workers = inherited_connections(True)
    assert not _found(replace(server, requests=()), *workers)


def test_a_process_that_serves_or_has_just_been_forked_keeps_nothing() -> None:
    server, worker, _ = inherited_connections(True)
    assert _found(server, worker)
    for one in (
        replace(worker, loops=(loop(tid=701, iterations=9),)),
        replace(worker, requests=server.requests),
        replace(worker, started_ns=9 * S),
        replace(worker, ended_ns=9 * S),
        replace(worker, sockets=replace(worker.sockets, inherited=())),  # type: ignore[type-var]
    ):
        assert not _found(server, one)
    assert not _found(replace(server, ended_ns=9 * S + MS), worker)
