# SPDX-License-Identifier: Apache-2.0
"""Threads that sleep because a peer does not take what they send."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.detail import Detail
from iotrace.report.model import Descriptor
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import lines_of_category, waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always

LEAST_SHARE = 0.05
LEAST_BLOCKED_NS = 20_000_000
MEAN_BLOCK_NS = 1_000_000
"""Per send: shorter waits are the kernel's own locks, not a peer that does not read."""


def _blocked(profile: ProcessProfile) -> Iterator[Hit]:
    waited = profile.total.writes.wait_ns
    if waited < MEAN_BLOCK_NS * profile.total.writes.calls:
        return
    if waited < max(LEAST_BLOCKED_NS, LEAST_SHARE * profile.wall_ns):
        return
    senders = [one for one in profile.connections() if one.wait_ns and _sends(one)]
    slowest = max(senders, key=lambda one: one.wait_ns) if senders else None
    blocked = [tid for tid, one in profile.threads.items() if one.writes.wait_ns]
    evidence: dict[str, float | int | str] = {
        "blocked_ns": waited,
        "sends" if profile.detail is Detail.FULL else "sleeps": profile.total.writes.calls,
        "threads": len(blocked),
        "connections": len(senders),
    }
    if slowest is not None:
        evidence |= {"slowest_peer": slowest.peer}
        if slowest.bytes_out is not None:
            evidence["sent_to_it_bytes"] = slowest.bytes_out
    yield Hit(
        evidence,
        waited,
        blocked[0] if len(blocked) == 1 else None,
        slowest.fd if slowest is not None else None,
        lines=waiting_lines(lines_of_category(profile.process, "writes"), profile.process),
    )


def _sends(one: Descriptor) -> bool:
    """More goes out than comes in; where that is not seen, nobody can say."""
    return one.bytes_out is None or one.bytes_out > (one.bytes_in or 0)


BLOCKED = Rule(
    "IO111",
    "Blocked senders: threads sleep in send, their peers are slow",
    "Do not let a slow reader hold a thread: settimeout() and drop it, or send from an event loop "
    "(asyncio: await writer.drain()), with a limit on what is queued for one peer.",
    _blocked,
    explains={"IO105": always},
    least=Detail.LIGHT,
)
