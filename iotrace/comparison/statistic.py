# SPDX-License-Identifier: Apache-2.0
"""Which differences exceed the noise: medians of interval samples against their spread.

A recording has a report of each interval (of a second, as a rule), so a figure is a series of
values on either side. With ``s`` the spread of a side's values and ``n`` their number, the
standard error of its median is ``1.2533 s / sqrt(n)`` (normal values; for heavy tails the true
one is smaller). Two medians differ beyond the noise if they are further apart than

    NOISE_FACTOR * sqrt(error_a**2 + error_b**2)

and further than the figure can be told apart at all (percentiles come from bins 7 % wide).

``s`` is 1.4826 times the median absolute deviation: a hiccup in one interval does not widen it.
Where more than half of the values are equal that is 0; then it is 1.2533 times the mean absolute
deviation (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).

It says nothing of what differs from one recording to the next for reasons that outlast both (a
neighbour on the host, another order of memory): record each side twice where that matters.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, median

NOISE_FACTOR = 4.0
FEWEST_SAMPLES = 5

_MAD_TO_SIGMA = 1.4826
_MEAN_DEVIATION_TO_SIGMA = math.sqrt(math.pi / 2)
_MEDIAN_ERROR = math.sqrt(math.pi / 2)


def spread(values: Sequence[float]) -> float:
    """The values' standard deviation, if they were normal; robust against a few that are not."""
    middle = median(values)
    deviations = [abs(value - middle) for value in values]
    return _MAD_TO_SIGMA * median(deviations) or _MEAN_DEVIATION_TO_SIGMA * fmean(deviations)


def noise(a: Sequence[float], b: Sequence[float], resolution: float) -> float | None:
    """How far the two medians may be apart without that meaning anything.

    ``resolution``: the part of itself within which a value is not told apart. None: one side has
    fewer than FEWEST_SAMPLES values.
    """
    if min(len(a), len(b)) < FEWEST_SAMPLES:
        return None
    error = _MEDIAN_ERROR * math.hypot(spread(a) / math.sqrt(len(a)), spread(b) / math.sqrt(len(b)))
    return max(NOISE_FACTOR * error, resolution * max(abs(median(a)), abs(median(b))))


def exceeds(a: Sequence[float], b: Sequence[float], limit: float) -> bool:
    """Whether the medians are further apart than ``limit``."""
    return abs(median(b) - median(a)) > limit
