"""The benchmark's arithmetic: medians, what covers them, pairs that drift away."""

from __future__ import annotations

import random

import pytest

from benchmarks.arithmetic import Cycle, Window, abba, around, estimate, growth_ns

SECOND = 1_000_000_000


def test_an_estimate_is_of_order_statistics() -> None:
    # Binomial(10, 1/2): P(fewer than 2 heads) = 11/1024, P(fewer than 3) = 56/1024.
    seen = estimate([7, 1, 10, 2, 9, 3, 8, 4, 6, 5])
    assert (seen.median, seen.low, seen.high, seen.samples) == (5.5, 2, 9, 10)
    assert seen.coverage == pytest.approx(1 - 2 * 11 / 1024)


def test_few_figures_say_how_little_they_cover() -> None:
    five = estimate([5, 1, 4, 2, 3])
    assert (five.low, five.high, five.coverage) == (1, 5, pytest.approx(1 - 2 / 32))
    one = estimate([3])
    assert (one.median, one.low, one.high, one.coverage) == (3, 3, 3, 0)


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    dice = random.Random(20)
    rounds = 2000
    covered = sum(
        seen.low <= 0 <= seen.high
        for seen in (estimate([dice.gauss(0, 1) for _ in range(20)]) for _ in range(rounds))
    )
    assert estimate(range(20)).coverage - 0.02 < covered / rounds < 1


def test_no_figures_are_no_estimate() -> None:
    with pytest.raises(ValueError, match="no figures"):
        estimate([])


def test_a_cycle_holds_traced_against_untraced() -> None:
    (cycle,) = abba([Window(n, SECOND) for n in (100, 50, 30, 100)])
    assert cycle == Cycle(Window(200, 2 * SECOND), Window(80, 2 * SECOND))
    assert cycle.ratio == pytest.approx(0.4)
    assert cycle.added_ns == pytest.approx(2 * SECOND / 80 - 2 * SECOND / 200)


def test_an_even_drift_leaves_no_trace() -> None:
    drifting = [Window(1000 - 10 * step, SECOND) for step in range(8)]
    assert [cycle.ratio for cycle in abba(drifting)] == [1, 1]


def test_growth_is_told_from_the_speed_of_the_moment() -> None:
    def cycle(without_ns: int, traced_ns: int) -> Cycle:
        return Cycle(Window(1, without_ns), Window(1, traced_ns))

    small = [cycle(300, 700), cycle(450, 1050)]  # the second on a machine half as fast again
    large = [cycle(310, 720), cycle(470, 1090)]
    assert growth_ns(small, large) == [10, 20]
    with pytest.raises(ValueError, match="zip"):
        growth_ns(small, large[:1])


def test_slow_tracers_are_held_against_their_neighbours() -> None:
    seen = around([Window(n, SECOND) for n in (100, 40, 60, 30, 20)])
    assert [cycle.ratio for cycle in seen] == pytest.approx([0.5, 0.75])


def test_a_tracer_that_stops_everything_counts() -> None:
    (cycle,) = around([Window(n, SECOND) for n in (100, 0, 100)])
    assert cycle.ratio == 0
    assert cycle.added_ns == pytest.approx(SECOND - SECOND / 100)


@pytest.mark.parametrize("pairing", [abba, around])
@pytest.mark.parametrize("count", [0, 1, 2, 6])
def test_windows_that_make_no_pairs(pairing, count) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"whole number of cycles|begins and ends"):
        pairing([Window(1, SECOND)] * count)


@pytest.mark.parametrize(("pairing", "count"), [(abba, 4), (around, 3)])
def test_a_server_that_stands_still_is_no_measurement(pairing, count) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="nothing was done"):
        pairing([Window(0, SECOND)] * count)
