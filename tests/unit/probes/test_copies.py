"""The copies of a probe do each event once, whichever the kernel skips: their own C, all cases."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from iotrace.engine.constants import COPIES, MANY_COPIES
from tests.unit.probes.plain_c import compile_c, in_plain_c
from tests.unit.project.places import PACKAGES

_HERE = Path(__file__).parent
_EVENTS = {COPIES: 3, MANY_COPIES: 2}
"""In a row, for all of which each set of skipped copies is tried."""


@pytest.fixture(scope="module", params=_EVENTS)
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> _Copies:
    return _Copies(request.param, tmp_path_factory.mktemp("copies"))


class _Copies:
    """A program of which there are ``number``."""

    def __init__(self, number: int, place: Path) -> None:
        source = (PACKAGES["iotrace.probes"] / "preemption.c").read_text()
        (place / "preemption_here.c").write_text(in_plain_c(source))
        flags = {"PREEMPTIBLE": 1, "DETAIL_SOCKETS": 1, "COPIES": number, "THREAD_HINTS": 4096}
        flags |= {"OFFSET_TASK_SCHED_INFO": 0}
        command = ["cc", "-O1", "-w", "-shared", "-fPIC", f"-I{_HERE}", f"-I{place}"]
        command += [f"-D{name}={value}" for name, value in flags.items()]
        library = place / "copies.so"
        compile_c(*command, _HERE / "copies.c", "-o", library)
        self.number = number
        self._tids = itertools.count(1)
        self._library = ctypes.CDLL(str(library))

    def runs(self) -> Iterator[tuple[tuple[int, ...], list[int], int]]:
        """Of all cases: which copies are skipped in each event, as bits; how often each event is
        done; for how many of them a spare copy says that it made up for the first."""
        sets = range(1 << self.number)
        for skipped in itertools.product(sets, repeat=_EVENTS[self.number]):
            tid = next(self._tids)
            thread = ctypes.create_string_buffer(8)
            before = self._library.made_up_so_far()
            done = [self._library.event_of(thread, tid, one) for one in skipped]
            yield skipped, done, self._library.made_up_so_far() - before


def test_each_event_is_done_once_where_fewer_runs_than_copies_are_skipped(copies: _Copies) -> None:
    for skipped, done, _ in copies.runs():
        assert max(done) <= 1, skipped
        if sum(one.bit_count() for one in skipped) < copies.number:
            assert min(done) == 1, skipped


def test_what_is_lost_is_what_the_first_has_skipped_and_no_other_made_up_for(
    copies: _Copies,
) -> None:
    for skipped, done, made_up in copies.runs():
        assert done.count(0) == sum(one & 1 for one in skipped) - made_up, skipped
