# SPDX-License-Identifier: Apache-2.0
"""How far the limit of open descriptors is, at the rate at which they become more."""

from __future__ import annotations

from iotrace.verdict.number_formats import duration, figure
from iotrace.verdict.process_profile import ProcessProfile

SOON_NS = 7 * 86_400_000_000_000
"""A week: services are restarted sooner than later limits are reached."""


def until_limit(
    profile: ProcessProfile, more_per_second: float
) -> tuple[str, dict[str, float | int | str]]:
    """What to add to a title and to the evidence; the rate is an estimate."""
    evidence: dict[str, float | int | str] = {}
    limits = profile.process.limits
    text = ""
    if more_per_second > 0:
        evidence["more_per_second"] = round(more_per_second, 1)
        text = f", about {figure(more_per_second)} more a second"
    if limits is None or limits.open_files is None or limits.most_open_files is None:
        return text, evidence
    evidence |= {"open_files": limits.open_files, "most_open_files": limits.most_open_files}
    left = limits.most_open_files - limits.open_files
    if more_per_second <= 0 or left <= 0:
        return text, evidence
    ns = round(1e9 * left / more_per_second)
    if ns > SOON_NS:
        return text, evidence
    evidence["until_limit_ns"] = ns
    text += f": at that rate its limit of {limits.most_open_files:,} descriptors is reached in"
    return f"{text} {duration(ns)}", evidence
