# SPDX-License-Identifier: Apache-2.0
"""Forks that work long in the kernel, and give nobody the GIL meanwhile.

They copy the page tables of all of the process's memory.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.calls import FORKS

KERNEL_SHARE = 0.5
"""Of the CPU time of the process, that forks take in the kernel."""


@dataclass(frozen=True, slots=True)
class LongForks:
    """How many there were, and their CPU time in the kernel."""

    calls: int
    kernel_ns: int

    @property
    def evidence(self) -> dict[str, float | int | str]:
        """What a finding says of them."""
        return {"forks": self.calls, "forks_cpu_ns": self.kernel_ns}

    @property
    def words(self) -> str:
        """How long each takes on average."""
        return f"in fork ({duration(self.kernel_ns // max(1, self.calls))} of CPU each)"


def long_forks(profile: ProcessProfile) -> LongForks | None:
    """Where they take most of the CPU time of the process; None: they do not."""
    # C libraries fork by one call and start threads, which copies nothing, by another.
    sums: dict[str, LongForks] = {}
    for one in profile.process.calls:
        if one.syscall in FORKS:
            known = sums.get(one.syscall, LongForks(0, 0))
            calls, kernel_ns = one.calls or 0, one.kernel_ns or 0
            sums[one.syscall] = LongForks(known.calls + calls, known.kernel_ns + kernel_ns)
    most = max(sums.values(), key=lambda one: one.kernel_ns, default=None)
    return most if most and most.kernel_ns >= KERNEL_SHARE * max(1, profile.total.cpu_ns) else None


FORK_ADVICE = (
    "fork copies the page tables of all of the process's memory, and Python keeps the GIL "
    "meanwhile: the more memory, the longer. Start commands by subprocess without preexec_fn "
    "(it uses vfork, which copies nothing), or fork from a small process of its own "
    "(multiprocessing's forkserver), before the large data is loaded."
)
