# SPDX-License-Identifier: Apache-2.0
"""Samples on their way from the agent to the processes of its own that hand them on."""

from __future__ import annotations

import pickle
from collections.abc import Iterable

from iotrace.metrics.running_totals import Sample


def pack(samples: Iterable[Sample]) -> bytes:
    """For ``unpack``."""
    return pickle.dumps(tuple(samples), pickle.HIGHEST_PROTOCOL)


def unpack(data: bytes) -> tuple[Sample, ...]:
    """``data``: of this program's own parent process, and of nobody else."""
    found: tuple[Sample, ...] = pickle.loads(data)
    return found
