# SPDX-License-Identifier: Apache-2.0
"""Calls that work in the kernel for the process and give nobody the GIL meanwhile.

Forks copy the page tables of all of its memory; mappings of memory clear or free its pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from iotrace.verdict.number_formats import duration
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.vocabulary.calls import FORKS, MEMORY_CALLS

KERNEL_SHARE = 0.5
"""Of the CPU time of the process or thread, that one such call takes in the kernel."""


@dataclass(frozen=True, slots=True)
class KernelCalls:
    """All calls by one name: how many there were, and their CPU time in the kernel."""

    name: str
    calls: int
    kernel_ns: int

    @property
    def evidence(self) -> dict[str, float | int | str]:
        """What a finding says of them."""
        return {"in_the_kernel": self.name, "its_calls": self.calls, "its_cpu_ns": self.kernel_ns}

    @property
    def words(self) -> str:
        """The call, and how long each takes on average."""
        does = "fork" if self.name in FORKS else self.name
        return f"in {does} ({duration(self.kernel_ns // max(1, self.calls))} of CPU each)"

    @property
    def advice(self) -> str:
        """What helps against such calls."""
        return _FORKS if self.name in FORKS else _MEMORY


def most_in_the_kernel(profile: ProcessProfile, tid: int | None = None) -> KernelCalls | None:
    """The call that takes most of the CPU time, of a thread or of all; None: there is none."""
    rows = profile.process.calls if tid is None else profile.calls.get(tid, ())
    cpu_ns = (profile.total if tid is None else profile.threads[tid]).cpu_ns
    sums: dict[str, tuple[int, int]] = {}
    for one in rows:
        if one.syscall in FORKS | MEMORY_CALLS:
            calls, kernel_ns = sums.get(one.syscall, (0, 0))
            sums[one.syscall] = calls + (one.calls or 0), kernel_ns + (one.kernel_ns or 0)
    name = max(sums, key=lambda key: sums[key][1], default="")
    if not name or sums[name][1] < KERNEL_SHARE * max(1, cpu_ns):
        return None
    return KernelCalls(name, *sums[name])


_FORKS = (
    "fork copies the page tables of all of the process's memory, and Python keeps the GIL "
    "meanwhile: the more memory, the longer. Start commands by subprocess without preexec_fn "
    "(it uses vfork, which copies nothing), or fork from a small process of its own "
    "(multiprocessing's forkserver), before the large data is loaded."
)
_MEMORY = (
    "Memory is taken from the kernel and given back again and again, and each page is cleared or "
    "freed by it: keep large buffers and use them again, or let the allocator keep them "
    "(MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ of mallopt(3), jemalloc)."
)
