# SPDX-License-Identifier: Apache-2.0
"""How much room the kernel's tables have: by default, and for the processes to be traced."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice

from iotrace.procfs.children import read_children
from iotrace.report.detail import Detail

_LEAST_PLACES = 16384
_OF_EXCHANGES = ("endpoints", "tiers")
_SLACK = 128
"""Threads that may appear between the count and the attachment."""
_RESERVED_FOR_MORE = 2048
"""Threads of processes that join a trace later; what they leave is used again."""
_MOST_THREADS, _MOST_DESCRIPTORS, _MOST_PROCESSES = 1 << 13, 1 << 16, 1 << 12
"""Room is made for no more than these: the kernel's memory is not for whoever is traced to take.
What does not fit is counted as lost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Room in the kernel's tables; what does not fit is counted as lost.

    ``timeline_pages``: of the ring buffer that streams single events (a power of two); 0: no
    timeline. ``sockets`` is a power of two. ``reserved``: slots of the thread table that user
    space fills, for the threads that exist already. ``python``: with what follows Python's stacks
    and GIL.
    """

    threads: int = 4096
    calls: int = 8192
    descriptors: int = 4096
    loops: int = 512
    sockets: int = 16384
    closed: int = 4096
    errors: int = 4096
    signals: int = 1024
    operations: int = 16384
    operation_kinds: int = 256
    ports: int = 1024
    endpoints: int = 256
    tiers: int = 4096
    targets: int = 2048
    stacks: int = 4096
    codes: int = 2048
    lines: int = 8192
    reserved: int = 512
    timeline_pages: int = 0
    python: bool = True
    detail: Detail = Detail.FULL

    def cflags(self) -> list[str]:
        """The limits as compiler flags."""
        others = ("reserved", "timeline_pages", "python", "detail")
        names = [name for name in self.__slots__ if name not in others]
        return [
            *(f"-DMAX_{name.upper()}={self._room(name)}" for name in names),
            f"-DMAX_EXCHANGES={1 if self.detail is Detail.LIGHT else self.sockets}",
            f"-DDESCRIPTOR_PLACES={self._places()}",
            f"-DDETAIL_FULL={int(self.detail is Detail.FULL)}",
            f"-DDETAIL_SOCKETS={int(self.detail is Detail.SOCKETS)}",
            f"-DWATCH_SOCKETS={int(self.detail is not Detail.LIGHT)}",
            f"-DTIMELINE={int(self.timeline_pages > 0)}",
            f"-DTIMELINE_PAGES={self.timeline_pages}",
        ]

    def _room(self, name: str) -> int:
        """Light detail follows no exchanges."""
        room: int = getattr(self, name)
        return 1 if name in _OF_EXCHANGES and self.detail is Detail.LIGHT else room

    def _places(self) -> int:
        """A power of two, so large that few descriptors share a place."""
        return max(_LEAST_PLACES, 1 << (4 * self.descriptors - 1).bit_length())


def limits_for(pids: Iterable[int], wanted: Limits) -> Limits:
    """Room for what these processes (and their children) are now, and as much again.

    In powers of two, so that the compiled probes can be used again for other processes.
    """
    found = (pid for root in pids for pid in (root, *read_children(root)))
    everyone = set(islice(found, _MOST_PROCESSES))
    threads = _total(everyone, "task", _MOST_THREADS)
    reserved = _power_of_two(max(wanted.reserved, threads + _SLACK))
    descriptors = _total(everyone, "fd", _MOST_DESCRIPTORS)
    return replace(
        wanted,
        reserved=reserved,
        threads=max(wanted.threads, 2 * reserved),
        calls=max(wanted.calls, _power_of_two(16 * threads)),
        loops=max(wanted.loops, _power_of_two(2 * threads)),
        descriptors=max(wanted.descriptors, _power_of_two(2 * descriptors)),
        sockets=max(wanted.sockets, _power_of_two(descriptors)),
        targets=max(wanted.targets, _power_of_two(4 * len(everyone))),
    )


def with_room_for_more(limits: Limits) -> Limits:
    """Room for processes that are not known yet."""
    return replace(
        limits,
        reserved=max(limits.reserved, _RESERVED_FOR_MORE),
        threads=max(limits.threads, 2 * _RESERVED_FOR_MORE),
    )


def _power_of_two(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()


def count_threads(pid: int) -> int:
    """How many threads a process has now; 0 where it cannot be asked."""
    return _count(pid, "task", _MOST_THREADS)


def _total(pids: Iterable[int], what: str, most: int) -> int:
    total = 0
    for pid in pids:
        total += _count(pid, what, most - total)
    return total


def _count(pid: int, what: str, most: int) -> int:
    """Threads ("task") or descriptors ("fd") of a process; 0 where it cannot be asked."""
    try:
        with os.scandir(f"/proc/{pid}/{what}") as entries:
            return sum(1 for _ in islice(entries, most))
    except OSError:
        return 0
