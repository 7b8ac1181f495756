"""How much room a trace takes in the kernel's tables."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace

from iotrace.engine.map_limits import Limits
from iotrace.procfs.children import read_children

_SLACK = 128
"""Threads that may appear between the count and the attachment."""


def limits_for(pids: Iterable[int], wanted: Limits) -> Limits:
    """Room for what these processes (and their children) are now, and as much again.

    In powers of two, so that the compiled probes can be used again for other processes.
    """
    everyone = {pid for root in pids for pid in (root, *read_children(root))}
    threads = sum(_count(pid, "task") for pid in everyone)
    reserved = _power_of_two(max(wanted.reserved, threads + _SLACK))
    return replace(
        wanted,
        reserved=reserved,
        threads=max(wanted.threads, 2 * reserved),
        calls=max(wanted.calls, _power_of_two(16 * threads)),
        loops=max(wanted.loops, _power_of_two(2 * threads)),
        descriptors=max(
            wanted.descriptors, _power_of_two(2 * sum(_count(pid, "fd") for pid in everyone))
        ),
        targets=max(wanted.targets, _power_of_two(4 * len(everyone))),
    )


def _power_of_two(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


def _count(pid: int, what: str) -> int:
    """Threads ("task") or descriptors ("fd") of a process; 0 where it cannot be asked."""
    try:
        return len(os.listdir(f"/proc/{pid}/{what}"))  # noqa: PTH208
    except OSError:
        return 0
