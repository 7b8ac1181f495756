# SPDX-License-Identifier: Apache-2.0
"""How one thread does its I/O, whatever it was told from."""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.verdict.classify.confidence import confidence


@dataclass(frozen=True, slots=True)
class ThreadStyle:
    """How a thread does its I/O. ``id``: a model, or "" for a thread that does none.

    ``role``: "loop" (a multiplexer tells it what to read), "acceptor" (it accepts or hands out,
    and reads nothing), "reader", "poller", or "" (no I/O). ``eager``: reads at once what it has
    accepted, and comes to the multiplexer only when refused, as it was. ``timeouts``: waits for a
    socket in a poll of it alone. ``agreement``, ``samples``: see ``confidence``.
    ``threads``: how many it stands for, more than one where the ended are added up.
    """

    id: str = ""
    role: str = ""
    family: str = ""
    eager: bool = False
    timeouts: bool = False
    agreement: float = 0.0
    samples: int = 0
    evidence: tuple[str, ...] = ()
    threads: int = 1

    @property
    def confidence(self) -> float:
        """0 to 1."""
        return confidence(self.agreement, self.samples)
