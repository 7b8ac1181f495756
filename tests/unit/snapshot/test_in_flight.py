"""What a thread was in the middle of is charged to the right state."""

import pytest

from iotrace.engine.constants import WAKE_RACE_NS, State
from iotrace.snapshot.in_flight import InFlight, charge, ready_for_ns


def _record(state: State, **members: int) -> dict[str, int]:
    record = {"state": state, "since_ns": 1_000, "woken_ns": 0, "run_delay_ns": 50}
    return {**record, "switched_in_ns": 950, "resume_state": State.USER, **members}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State.USER, InFlight(user_ns=700)),
        (State.KERNEL, InFlight(kernel_ns=700)),
        (State.COPY, InFlight(copy_ns=700)),
        (State.RUNQ, InFlight(runq_ns=700)),
        (State.SLEEP, InFlight(asleep_ns=700)),
        (State.UNKNOWN, InFlight(user_ns=700)),
        (State.DEAD, InFlight()),
    ],
)
def test_each_state(state: State, expected: InFlight) -> None:
    assert charge(_record(state), 1_700) == expected


def test_a_sleeper_that_was_woken_is_ready() -> None:
    record = _record(State.SLEEP, woken_ns=1_300)
    assert charge(record, 1_700) == InFlight(asleep_ns=300, runq_ns=400)
    assert ready_for_ns(record, 1_700) == 400


def test_an_older_wake_up_does_not_count() -> None:
    record = _record(State.SLEEP, woken_ns=900)
    assert charge(record, 1_700) == InFlight(asleep_ns=700)
    assert ready_for_ns(record, 1_700) == 0


def test_a_wake_up_while_it_still_ran_came_before_its_sleep() -> None:
    record = _record(State.SLEEP, woken_ns=970)
    assert charge(record, 1_700) == InFlight(runq_ns=700)
    assert ready_for_ns(record, 1_700) == 700


def test_a_wake_up_long_before_the_sleep_was_for_another_one() -> None:
    since = 10**9
    record = _record(State.SLEEP, since_ns=since, woken_ns=since - WAKE_RACE_NS)
    assert charge(record, since + 700) == InFlight(asleep_ns=700)


def test_the_scheduler_knows_that_it_has_been_running() -> None:
    """Its switch-in was hidden from the probes: 110 ns of run queue, the rest on a CPU."""
    record = _record(State.RUNQ)
    assert charge(record, 3_001_000, run_delay_ns=160) == InFlight(runq_ns=110, user_ns=2_999_890)


def test_the_scheduler_s_clock_is_coarser() -> None:
    """It was switched in after the record was read; only the clocks differ."""
    record = _record(State.RUNQ)
    assert charge(record, 3_001_000, run_delay_ns=2_990_050) == InFlight(runq_ns=3_000_000)


def test_no_growth_of_the_run_delay_means_still_waiting() -> None:
    assert charge(_record(State.RUNQ), 1_700, run_delay_ns=50) == InFlight(runq_ns=700)


def test_a_woken_sleeper_that_ran_meanwhile() -> None:
    record = _record(State.SLEEP, woken_ns=1_100, resume_state=State.KERNEL)
    assert charge(record, 3_001_100, run_delay_ns=70) == InFlight(
        asleep_ns=100, runq_ns=20, kernel_ns=2_999_980
    )


@pytest.mark.parametrize("state", State)
def test_a_clock_that_is_behind_charges_nothing(state: State) -> None:
    assert charge(_record(state), 999) == InFlight()


@pytest.mark.parametrize("run_delay_ns", [None, 0, 60, 10**9])
@pytest.mark.parametrize("woken_ns", [0, 1_000, 1_200, 5_000])
@pytest.mark.parametrize("state", [state for state in State if state is not State.DEAD])
def test_the_parts_add_up(state: State, woken_ns: int, run_delay_ns: int | None) -> None:
    flight = charge(_record(state, woken_ns=woken_ns), 1_701, run_delay_ns)
    assert (
        flight.user_ns + flight.kernel_ns + flight.copy_ns + flight.runq_ns + flight.asleep_ns
        == 701
    )
