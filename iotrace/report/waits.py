"""What a thread waits for: the reasons, in the order in which the probes number them."""

from __future__ import annotations

WAIT_REASONS = (
    "recv",
    "send",
    "accept",
    "connect",
    "poll",
    "lock",
    "gil",
    "sleep",
    "child",
    "signal",
    "file",
    "uring",
    "other",
    "fault",
)
