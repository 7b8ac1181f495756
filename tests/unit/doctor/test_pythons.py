"""What the doctor says of the Pythons that run."""

from __future__ import annotations

from typing import Any

import pytest

from iotrace.discovery.census import Candidate
from iotrace.doctor import pythons
from iotrace.doctor.check import Status
from iotrace.errors import NoSuchProcess, PermissionDenied
from iotrace.procfs.python import PythonBuild
from iotrace.pystack.offsets import TABLES
from iotrace.pystack.runtime import Runtime
from iotrace.target_reader.programs import members

_GIL = 0x1000


class _Reader:
    """Answers by pid: a version, and a runtime with its GILs, or why there is none."""

    def __init__(self, answers: dict[int, tuple[str, Any]]) -> None:
        self._answers = answers

    def ask(self, question: str, pid: int, *arguments: Any) -> Any:
        if pid not in self._answers:
            raise NoSuchProcess("gone")
        version, found = self._answers[pid]
        if question == "python":
            build = PythonBuild(version, "/usr/bin/python3", 0, 1, free_threaded=False)
            return members(build) if version else None
        if isinstance(found, Exception):
            raise found
        return found

    def cut_short(self, pid: int, what: str) -> None:
        raise AssertionError(what)


def _runtime(no_gil: str | None = None) -> Any:
    address, offsets, *others = members(Runtime(1, TABLES[3, 11], no_gil))
    return True, (address, members(offsets), *others), () if no_gil else (_GIL,)


def _told(answers: dict[int, tuple[str, Any]], *more: int) -> list[tuple[str, str, str]]:
    processes = [Candidate(pid, 1, "x", 1, None, (), None) for pid in (*answers, *more)]
    checks = pythons._checks(pythons.read_all(_Reader(answers), processes))
    return [(one.feature, one.status.value, one.detail) for one in checks]


def test_each_version_has_a_line_and_its_reason() -> None:
    no_lines = "Python 3.8.18 was not tried"
    refused = PermissionDenied("no", why="CAP_SYS_PTRACE is missing")
    told = _told(
        {
            10: ("3.11.2", _runtime()),
            11: ("3.11.2", _runtime()),
            12: ("3.8.18", (False, no_lines, False)),
            13: ("3.14.0", _runtime("musl keeps the lock's word elsewhere")),
            14: ("3.11.2", refused),
            15: ("", None),
            17: ("3.9.18", NoSuchProcess("gone")),
        },
        16,
    )
    assert told == [
        ("Python 3.8.18", "degraded", f"1 process: {no_lines}"),
        ("Python 3.11.2", "ok", "2 processes: lines and waits for the GIL are read"),
        ("Python 3.11.2", "degraded", "1 process: CAP_SYS_PTRACE is missing"),
        (
            "Python 3.14.0",
            "ok",
            "1 process: lines are read; no waits for the GIL: musl keeps the lock's word elsewhere",
        ),
    ]


def test_a_host_without_pythons_lacks_nothing() -> None:
    ((feature, status, _),) = _told({10: ("", None)})
    assert (feature, status) == ("Pythons", Status.OK.value)


def test_who_is_not_looked_at_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pythons, "_LONGEST_NS", -1)
    *_, (feature, _, detail) = _told({10: ("3.11.2", _runtime()), 11: ("", None)})
    assert feature == "other Pythons"
    assert detail.startswith("2 processes")
