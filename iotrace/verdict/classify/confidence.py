# SPDX-License-Identifier: Apache-2.0
"""How sure a label is: a number with one meaning everywhere.

``confidence`` = agreement x n / (n + HESITATION). Agreement (0 to 1) is the share of what was
seen that fits the label; n is how many finished operations spoke (reads, accepts, returns of a
multiplexer). Five operations that all agree give 0.56, twenty 0.83, a hundred 0.96.
"""

from __future__ import annotations

from iotrace.report.model import Model

HESITATION = 4
"""Operations that count against every label: few observations convince nobody."""
LEAST = 0.5
"""Below it the answer is "not enough seen yet"."""

UNKNOWN = "unknown"
"""The model id of what was not seen enough."""


def confidence(agreement: float, samples: int) -> float:
    """0 to 1."""
    samples = max(0, samples)
    return round(max(0.0, min(1.0, agreement)) * samples / (samples + HESITATION), 3)


def not_enough(evidence: tuple[str, ...], sure: float = 0.0) -> Model:
    """The label of too little data."""
    return Model(UNKNOWN, "not enough seen yet", sure, evidence)
