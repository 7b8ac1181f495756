# SPDX-License-Identifier: Apache-2.0
"""The time in calls of a peer, from the end of a question to the arrival of its answer."""

from __future__ import annotations

from iotrace.report.requests import Upstream
from iotrace.verdict.histograms import total_ns


def answered_ns(row: Upstream) -> int:
    """Of all calls together that were answered."""
    return total_ns(row.theirs_ns) if row.theirs_ns else 0


def asked_ns(row: Upstream) -> int:
    """With those that are owed an answer at the end, none of which is older than the oldest."""
    return answered_ns(row) + row.unanswered * (row.oldest_unanswered_ns or 0)
