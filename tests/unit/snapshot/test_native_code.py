"""The library in which a stack computed: that of most samples, whatever the others saw."""

from __future__ import annotations

from typing import Any

import pytest

from iotrace.errors import NoSuchProcess
from iotrace.snapshot.arithmetic import interval
from iotrace.snapshot.native_code import NativeCode
from iotrace.snapshot.snapshot import Snapshot

_PID, _STACK = 701, 0x5EED
_LIBC, _LIBM, _PYTHON = 0x7F0000001, 0x7F0000400, 0x550000000
"""Pages."""
_OBJECTS = {_LIBC >> 8: "libc", _LIBM >> 8: "libm", _PYTHON >> 8: ""}


class _Reader:
    """Knows the objects above, of processes that live."""

    def __init__(self) -> None:
        self.alive = True
        self.asked: list[int] = []

    def ask(self, question: str, pid: int, *arguments: Any) -> Any:
        assert (question, pid) == ("objects_at", _PID)
        if not self.alive:
            raise NoSuchProcess(pid)
        self.asked += [address >> 12 for address in arguments[0]]
        return [_OBJECTS[address >> 20] for address in arguments[0]]

    def cut_short(self, pid: int, what: str) -> None:
        """Nothing is."""


def _snapshot(samples: dict[int, int]) -> Snapshot:
    code = {(_PID, _STACK, page): count for page, count in samples.items()}
    return Snapshot(0, 1, stall_code=code)


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ({_LIBC: 1}, "libc"),
        ({_LIBC: 13, _PYTHON: 12}, "libc"),
        ({_LIBC: 4, _LIBM: 5, _LIBC + 8: 4}, "libc"),
        ({_LIBC: 5, _LIBM: 5, _PYTHON: 3, _PYTHON + 1: 3}, None),
        ({_LIBC: 2, _LIBM: 2}, None),
        ({_LIBC: 1, _PYTHON: 1}, None),
        ({_PYTHON: 0, _LIBC: 0}, None),
        ({0: 100}, None),
        ({}, None),
    ],
    ids=["one", "most", "pages", "interpreter", "two", "tie", "earlier ones", "no code", "none"],
)
def test_most_samples_tell_the_library(samples: dict[int, int], told: str | None) -> None:
    code = NativeCode(_Reader())
    snapshot = _snapshot(samples)
    code.find(snapshot)
    assert code.natives(snapshot) == ({(_PID, _STACK): told} if told else {})


def test_a_page_is_asked_for_once() -> None:
    reader = _Reader()
    code = NativeCode(reader)
    code.find(_snapshot({_LIBC: 2}))
    code.find(_snapshot({_LIBC: 3, _LIBM: 1}))
    assert reader.asked == [_LIBC, _LIBM]


def test_what_was_found_while_the_process_lived_is_what_counts() -> None:
    reader = _Reader()
    code = NativeCode(reader)
    code.find(_snapshot({_LIBC: 1}))
    reader.alive = False
    last = _snapshot({_LIBC: 1, _LIBM: 2})
    code.find(last)
    assert code.natives(last) == {(_PID, _STACK): "libc"}


def test_an_interval_has_its_own_samples() -> None:
    code = NativeCode(_Reader())
    earlier, later = _snapshot({_LIBC: 50}), _snapshot({_LIBC: 52, _LIBM: 3})
    code.find(later)
    assert code.natives(interval(later, earlier)) == {(_PID, _STACK): "libm"}
