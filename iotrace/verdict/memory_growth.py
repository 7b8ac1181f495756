# SPDX-License-Identifier: Apache-2.0
"""How fast a process's own memory grows, and whether it is full soon."""

from __future__ import annotations

from iotrace.verdict.process_profile import ProcessProfile

LEAST_GROWN_BYTES = 32 << 20
GROWN_PER_SECOND_BYTES = 2 << 20
"""Less is what results, logs and caches of a healthy batch take."""
SOON_S = 600
"""The memory limit is reached within that time, at this rate: high severity."""


def growth(profile: ProcessProfile) -> tuple[int, float]:
    """Bytes, and bytes a second; 0 where it is little, or not known."""
    limits = profile.process.limits
    if limits is None or not limits.own_grown_bytes or not limits.own_watched_ns:
        return 0, 0.0
    grown, grows = limits.own_grown_bytes, limits.own_grown_bytes * 1e9 / limits.own_watched_ns
    is_much = grown >= LEAST_GROWN_BYTES and grows >= GROWN_PER_SECOND_BYTES
    return (grown, grows) if is_much else (0, 0.0)


def is_full_soon(profile: ProcessProfile, bytes_per_second: float) -> bool:
    """Whether the limit of its control group is near."""
    limits = profile.process.limits
    if limits is None or limits.memory_limit_bytes is None:
        return False
    left = limits.memory_limit_bytes - (limits.memory_used_bytes or 0)
    return left < SOON_S * bytes_per_second
