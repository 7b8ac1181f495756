"""What it takes to let a comparison decide."""

from __future__ import annotations

from iotrace.comparison.comparison import Comparison
from iotrace.comparison.statistic import FEWEST_SAMPLES
from iotrace.errors import UsageError


def require_samples(comparison: Comparison) -> None:
    """Raises UsageError if one side has too few samples to tell a regression from noise."""
    for side in (comparison.a, comparison.b):
        if side.samples < FEWEST_SAMPLES:
            raise UsageError(
                f"{side.name} has {side.samples} interval samples: too few to judge by.",
                why=f"At least {FEWEST_SAMPLES} are needed to tell a difference from noise.",
                paste="sudo iotrace record -d 30 -o FILE PID",
            )
