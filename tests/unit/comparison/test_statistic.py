"""What counts as noise."""

import math
import random

import pytest

from iotrace.comparison import statistic


def test_the_spread_of_normal_values_is_their_deviation() -> None:
    dice = random.Random(3)
    values = [dice.gauss(100.0, 7.0) for _ in range(4999)]
    assert statistic.spread(values) == pytest.approx(7.0, rel=0.05)


def test_one_hiccup_does_not_widen_it() -> None:
    quiet = [10.0, 11.0, 9.0, 10.5, 9.5, 10.2, 9.8]
    assert statistic.spread([*quiet, 9000.0]) < 2 * statistic.spread(quiet)


def test_where_most_values_are_equal_the_mean_deviation_serves() -> None:
    values = [5.0, 5.0, 5.0, 5.0, 7.0]
    assert statistic.spread(values) == pytest.approx(math.sqrt(math.pi / 2) * 0.4)
    assert statistic.spread([5.0] * 9) == 0.0


def test_the_noise_of_two_series() -> None:
    a, b = [1.0, 2.0, 3.0, 4.0, 5.0], [11.0, 12.0, 13.0, 14.0, 15.0]
    spread = 1.4826  # the median of 2, 1, 0, 1, 2 is 1
    error = math.sqrt(math.pi / 2) * math.hypot(spread, spread) / math.sqrt(5)
    assert statistic.noise(a, b, 0.0) == pytest.approx(4 * error)
    assert statistic.noise(a, b, 0.9) == pytest.approx(0.9 * 13.0)


def test_too_few_samples_tell_nothing() -> None:
    assert statistic.noise([1.0] * 4, [2.0] * 50, 0.0) is None
    assert statistic.noise([1.0] * 5, [2.0] * 5, 0.0) == 0.0


def test_exceeds() -> None:
    assert statistic.exceeds([1.0, 1.0], [2.0, 2.0], 0.9)
    assert not statistic.exceeds([1.0, 1.0], [2.0, 2.0], 1.0)
    assert statistic.exceeds([2.0], [1.0], 0.9)


@pytest.mark.parametrize("tail", ["normal", "exponential", "heavy"])
def test_the_same_thing_twice_is_seldom_taken_for_a_difference(tail: str) -> None:
    dice = random.Random(5)
    draw = {
        "normal": lambda: dice.gauss(100.0, 10.0),
        "exponential": lambda: dice.expovariate(0.01),
        "heavy": lambda: dice.paretovariate(1.5),
    }[tail]
    wrong = 0
    for _ in range(997):
        a, b = ([draw() for _ in range(10)] for _ in range(2))
        limit = statistic.noise(a, b, 0.01)
        assert limit is not None
        wrong += statistic.exceeds(a, b, limit)
    assert wrong / 997 < 0.03


def test_a_change_of_a_fifth_is_seen_through_a_tenth_of_noise() -> None:
    dice = random.Random(6)
    seen = 0
    for _ in range(499):
        a = [dice.gauss(100.0, 10.0) for _ in range(30)]
        b = [dice.gauss(120.0, 10.0) for _ in range(30)]
        limit = statistic.noise(a, b, 0.07)
        assert limit is not None
        seen += statistic.exceeds(a, b, limit)
    assert seen / 499 > 0.95
