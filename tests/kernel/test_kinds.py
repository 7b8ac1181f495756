"""A read is what its descriptor is, also when the number has become something else unnoticed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from iotrace.report.model import Process
from tests.kernel.targets import Target
from tests.kernel.tracing import call_of, descriptor_of, process_of, trace_work

# programs/kinds.py
READS = 7
KINDS = ("timerfd", "signalfd", "inotify", "epoll", "netlink", "char", "dir", "file")


@dataclass(frozen=True, slots=True)
class Traced:
    """A report, what the program said before, and what after."""

    process: Process
    kinds: dict[str, int]
    results: dict[str, Any]

    def kinds_of(self, fd: int) -> dict[str, tuple[int, int]]:
        """What a number was: kind -> calls and bytes."""
        rows = [row for row in self.process.descriptors if row.fd == fd]
        return {row.kind: (row.calls, row.bytes_in) for row in rows}


@pytest.fixture(scope="module")
def traced() -> Iterator[Traced]:
    with Target("kinds.py") as target:
        process = process_of(trace_work(target), target.pid)
        yield Traced(process, target.facts["kinds"], target.results())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told(traced: Traced, kind: str) -> None:
    row = descriptor_of(traced.process, traced.kinds[kind])
    assert (row.kind, row.calls) == (kind, READS)


def test_a_file_in_memory_is_a_file(traced: Traced) -> None:
    row = descriptor_of(traced.process, traced.kinds["memfd"])
    assert (row.kind, row.calls) == ("file", READS)
    assert call_of(traced.process, "read", "file").calls == 2 * READS


@pytest.mark.parametrize("how", ["close_range", "thread", "close_range_of_a_thread"])
def test_a_number_that_became_something_else(traced: Traced, how: str) -> None:
    assert traced.kinds_of(traced.results[how]) == {"unix": (1, 11), "pipe": (1, 9)}


def test_more_numbers_than_a_thread_remembers(traced: Traced) -> None:
    for fd in traced.results["many"]:
        assert traced.kinds_of(fd)["unix"] == (3, 15)


def test_a_truncated_datagram_counts_as_what_the_call_returned(traced: Traced) -> None:
    assert traced.kinds_of(traced.results["truncated"])["unix"] == (8, 5 * 10 + 3 * 100)
