"""How soon the limit of descriptors is reached is told with leaks of sockets, if it is known."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import GroupLimits, LeftByClients, OpenSockets, Process
from tests.unit.verdict.made import MS, S, call, event_loop, findings, line
from tests.unit.verdict.made_tasks import kept_connections

_LIMITS = GroupLimits(open_files=124, most_open_files=1_024)


def _left_by_clients(*, accepts: int = 31) -> Process:
    left = LeftByClients(120, 124, 1, "10.0.0.7", 3 * S)
    sockets = OpenSockets(130, ("127.0.0.1:8000",), 0, 0, left=left)
    one = event_loop()
    calls = [row for row in one.calls if row.syscall != "accept4"]
    if accepts:
        calls.append(call("accept4", "tcp", accepts))
    accepting = line("accept4", "tcp", 3, 31, total=MS)
    return replace(
        one, sockets=sockets, limits=_LIMITS, calls=tuple(calls), lines=(*one.lines, accepting)
    )


def test_clients_that_go_on_leaving() -> None:
    found = findings(_left_by_clients())["IO161"]
    # Half of 120 in 3 s; 900 are left.
    assert "about 20 more a second: at that rate its limit of 1,024 descriptors" in found.title
    assert found.title.endswith("is reached in 45 s")
    assert found.evidence["more_per_second"] == 20.0
    assert (found.evidence["open_files"], found.evidence["most_open_files"]) == (124, 1_024)
    assert found.evidence["until_limit_ns"] == 45 * S
    assert "server.py:8 fetch" in found.lines[0]


def test_none_come_any_more() -> None:
    found = findings(_left_by_clients(accepts=0))["IO161"]
    assert "a second" not in found.title
    assert found.evidence["open_files"] == 124
    assert "until_limit_ns" not in found.evidence


def test_connections_that_it_makes() -> None:
    (one,) = kept_connections(True)
    unknown = findings(one)["IO161"]
    assert unknown.title.endswith("hardly one was closed, about 6 more a second")
    found = findings(replace(one, limits=_LIMITS))["IO161"]
    assert found.title.endswith(
        "6 more a second: at that rate its limit of 1,024 descriptors is reached in 150 s"
    )


def test_a_limit_that_is_far_is_not_told() -> None:
    (one,) = kept_connections(True)
    far = replace(one, limits=GroupLimits(open_files=124, most_open_files=1 << 30))
    found = findings(far)["IO161"]
    assert found.title.endswith("about 6 more a second")
    assert "until_limit_ns" not in found.evidence
