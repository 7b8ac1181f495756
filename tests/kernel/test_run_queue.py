"""Two programs that compute on one CPU: each is ready, and waits for it, half of the time."""

from __future__ import annotations

import pytest

from tests.kernel.hogs import Hog, compete
from tests.kernel.scheduler import Scheduled, on_cpu_ns

LONG_ENOUGH_NS = 1_000_000_000


@pytest.fixture(scope="module")
def hogs() -> tuple[Hog, Hog]:
    return compete(LONG_ENOUGH_NS)


def test_each_is_ready_half_of_its_time(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        states = hog.thread.states_ns
        competing_ns = on_cpu_ns(hog.thread) + states.runq
        # More than half where others want that CPU too: as much as the scheduler says.
        assert states.runq / competing_ns > 0.45
        of_stolen = hog.stolen_ns / competing_ns
        share = pytest.approx(_ready_share(hog.scheduled), abs=0.02 + of_stolen)
        assert states.runq / competing_ns == share
        assert states.unaccounted == 0


def _ready_share(figures: Scheduled) -> float:
    return figures.ready_ns / (figures.run_ns + figures.ready_ns)


def test_the_run_queue_is_the_scheduler_s(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        assert hog.thread.states_ns.runq == pytest.approx(hog.scheduled.ready_ns, rel=0.02)


def test_the_time_on_the_cpu_is_the_scheduler_s(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        most_ns = 1.02 * hog.scheduled.run_ns + hog.stolen_ns
        assert 0.98 * hog.scheduled.run_ns <= on_cpu_ns(hog.thread) <= most_ns


def test_switches_are_the_scheduler_s(hogs: tuple[Hog, Hog]) -> None:
    for hog in hogs:
        switches = hog.thread.switches
        assert (switches.voluntary, switches.involuntary) == (
            hog.scheduled.voluntary,
            hog.scheduled.involuntary,
        )
