"""The copies of a probe do each event once, whichever the kernel skips: their own C, all cases."""

from __future__ import annotations

import ctypes
import itertools
from pathlib import Path

import pytest

from iotrace.engine.constants import COPIES
from tests.unit.probes.plain_c import compile_c, in_plain_c
from tests.unit.project.places import PACKAGES

_HERE = Path(__file__).parent
_EVENTS = 3
_SETS = range(1 << COPIES)
"""Of copies that are skipped, as bits."""


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    place = tmp_path_factory.mktemp("copies")
    source = (PACKAGES["iotrace.probes"] / "preemption.c").read_text()
    (place / "preemption_here.c").write_text(in_plain_c(source))
    flags = {"PREEMPTIBLE": 1, "DETAIL_SOCKETS": 1, "COPIES": COPIES, "THREAD_HINTS": 4096}
    flags |= {"OFFSET_TASK_SCHED_INFO": 0}
    command = ["cc", "-O1", "-w", "-shared", "-fPIC", f"-I{_HERE}", f"-I{place}"]
    command += [f"-D{name}={value}" for name, value in flags.items()]
    library = place / "copies.so"
    compile_c(*command, _HERE / "copies.c", "-o", library)
    return ctypes.CDLL(str(library))


def _run(copies: ctypes.CDLL, tid: int, skipped: tuple[int, ...]) -> list[int]:
    """How often each event is done."""
    thread = ctypes.create_string_buffer(8)
    return [copies.event_of(thread, tid, one) for one in skipped]


def test_each_event_is_done_once_where_two_runs_are_skipped(copies: ctypes.CDLL) -> None:
    for tid, skipped in enumerate(itertools.product(_SETS, repeat=_EVENTS)):
        done = _run(copies, tid, skipped)
        assert max(done) <= 1, skipped
        if sum(one.bit_count() for one in skipped) < COPIES:
            assert done == [1] * _EVENTS, skipped


def test_what_is_lost_is_what_the_first_has_skipped_and_no_other_made_up_for(
    copies: ctypes.CDLL,
) -> None:
    for tid, skipped in enumerate(itertools.product(_SETS, repeat=_EVENTS)):
        before = copies.made_up_so_far()
        lost = _run(copies, 4096 + tid, skipped).count(0)
        first_skipped = sum(one & 1 for one in skipped)
        assert lost == first_skipped - (copies.made_up_so_far() - before), skipped
