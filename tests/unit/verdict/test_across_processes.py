"""Findings of several processes with one cause."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Finding, OpenSockets
from iotrace.verdict.across_processes import told_once
from iotrace.verdict.process_profile import ProcessProfile, profile_of
from tests.unit.verdict.made import PID, S, blocking, process, thread

_PARENT = Finding("IO140", "high", "waits", PID, PID, None, {}, "read", S, ("a.py:1", "b.py:2"))
_CHILD = Finding("IO140", "high", "writes", PID + 1, PID + 1, 4, {}, "stop", S, ("b.py:2",))


def _listening(pid: int, port: int) -> object:
    sockets = OpenSockets(1, (f"0.0.0.0:{port}",), 0, 0)
    return profile_of(replace(blocking(), pid=pid, sockets=sockets), 10 * S)


def test_a_parent_that_tells_what_its_child_does() -> None:
    (found,) = told_once([_CHILD, _PARENT], [])
    assert (found.pid, [one.pid for one in found.symptoms]) == (PID, [PID + 1])


def test_the_same_line_in_two_processes_is_no_cause() -> None:
    alike = replace(_CHILD, lines=_PARENT.lines)
    assert told_once([alike, _PARENT], []) == (alike, _PARENT)


def test_a_peer_that_was_traced_tells_itself() -> None:
    waits = replace(_CHILD, evidence={"peer": "127.0.0.1:8000"}, lines=("c.py:3",))
    profiles = [_listening(PID, 8000), _listening(PID + 1, 9000)]
    (found,) = told_once([waits, _PARENT], profiles)  # type: ignore[arg-type]
    assert (found.pid, [one.pid for one in found.symptoms]) == (PID, [PID + 1])
    medium = replace(_PARENT, severity="medium")
    (found,) = told_once([waits, medium], profiles)  # type: ignore[arg-type]
    assert (found.pid, found.severity) == (PID, "high")  # it is what the client waits for
    mild = replace(_PARENT, severity="low")
    assert len(told_once([waits, mild], profiles)) == 2  # type: ignore[arg-type]
    elsewhere = replace(waits, evidence={"peer": "10.0.0.9:8000"})
    assert len(told_once([elsewhere, _PARENT], profiles)) == 2  # type: ignore[arg-type]


def test_what_a_client_does_with_a_peer_is_no_effect_of_what_that_does() -> None:
    profiles = [_listening(PID, 8000), _listening(PID + 1, 9000)]
    for rule, told in (("IO179", 2), ("IO119", 1)):
        client = replace(_CHILD, id=rule, evidence={"peer": "127.0.0.1:8000"}, lines=("c.py:3",))
        assert len(told_once([client, _PARENT], profiles)) == told  # type: ignore[arg-type]


def test_a_server_of_several_processes_tells_by_the_one_that_has_a_finding() -> None:
    waits = replace(_CHILD, evidence={"peer": "127.0.0.1:8000"}, lines=("c.py:3",))
    profiles = [_listening(PID, 8000), _listening(PID + 2, 8000), _listening(PID + 1, 9000)]
    (found,) = told_once([waits, _PARENT], profiles)  # type: ignore[arg-type]
    assert found.pid == PID


def test_two_that_wait_for_each_other_leave_one_finding() -> None:
    one = replace(_PARENT, evidence={"peer": "127.0.0.1:9000"}, lines=("a.py:1",))
    other = replace(_CHILD, evidence={"peer": "127.0.0.1:8000"}, lines=("c.py:3",))
    profiles = [_listening(PID, 8000), _listening(PID + 1, 9000)]
    (found,) = told_once([one, other], profiles)  # type: ignore[arg-type]
    assert len(found.symptoms) == 1


def _asks(pid: int, peer: str) -> Finding:
    evidence: dict[str, float | int | str] = {"peer": peer}
    return replace(_PARENT, pid=pid, tid=pid, evidence=evidence, lines=(f"{pid}.py:1",))


def _single(pid: int, address: str, threads: int = 1) -> ProcessProfile:
    sockets = OpenSockets(1, (address,), 0, 0)
    rows = [thread(pid + number, recv=10 * S) for number in range(threads)]
    return profile_of(replace(process(rows), pid=pid, sockets=sockets), 10 * S)


def test_two_that_can_only_wait_for_each_other_are_a_deadlock() -> None:
    """Both listen on the same port of another address each."""
    one, other = _asks(PID, "127.0.0.2:8000"), _asks(900, "127.0.0.1:8000")
    profiles = [_single(PID, "127.0.0.1:8000"), _single(900, "127.0.0.2:8000")]
    (found,) = told_once([one, other], profiles)
    assert found.title.startswith(f"Deadlock of processes 900 and {PID}: each waits for the answer")
    assert found.lines == ("900.py:1", f"{PID}.py:1")
    assert found.evidence["deadlock_with"] == f"process {PID}"
    assert len(found.symptoms) == 1
    for twin in (_single(900, "127.0.0.2:8000", 2), _single(900, "127.0.0.3:8000")):
        for told in told_once([one, other], [profiles[0], twin]):
            assert "Deadlock" not in told.title, "another thread could answer, or somebody else"


def test_three_wait_in_a_circle() -> None:
    asked = {PID: "127.0.0.1:8002", 900: "127.0.0.1:8003", 950: "127.0.0.1:8001"}
    profiles = [
        _single(pid, f"127.0.0.1:{port}") for pid, port in ((PID, 8001), (900, 8002), (950, 8003))
    ]
    (found,) = told_once([_asks(pid, peer) for pid, peer in asked.items()], profiles)
    assert "next one, in a circle" in found.title
    assert len(found.symptoms) == 2
