# SPDX-License-Identifier: Apache-2.0
"""In which shared objects stalls computed, by their Python stacks."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress

from iotrace.errors import NoSuchProcess, PermissionDenied, Unsupported
from iotrace.snapshot.snapshot import Snapshot
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.stacks import shared_objects

_PAGE_BITS = 12
"""CODE_PAGE_BITS in probes/python.c."""
_PAGES = 1 << 16
"""Of code that was sampled, at most so many are known by the shared object they are of."""


class NativeCode:
    """Asks for the objects while their processes live."""

    def __init__(self, reader: Asker) -> None:
        self._reader = reader
        self._objects: dict[tuple[int, int], str] = {}

    def find(self, snapshot: Snapshot) -> None:
        """Name the pages of code that are new."""
        fresh: dict[int, set[int]] = defaultdict(set)
        for pid, _stack, page in snapshot.stall_code:
            if page and (pid, page) not in self._objects:
                fresh[pid].add(page)
        for pid, pages in fresh.items():
            with suppress(NoSuchProcess, PermissionDenied, Unsupported):
                addresses = tuple(page << _PAGE_BITS for page in pages)
                names = shared_objects(self._reader, pid, addresses)
                if len(self._objects) + len(names) > _PAGES:
                    self._objects.clear()
                found = zip(pages, names, strict=True)
                self._objects |= {(pid, page): name for page, name in found}

    def natives(self, snapshot: Snapshot) -> dict[tuple[int, int], str]:
        """By process and stack: the shared object that most of its samples were in. Not of the
        interpreter itself, nor where as many were in another."""
        votes: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
        for (pid, stack, page), samples in snapshot.stall_code.items():
            if (pid, page) in self._objects:
                votes[pid, stack][self._objects[pid, page]] += samples
        found = {}
        for key, of in votes.items():
            most = max(of.values())
            names = [name for name, samples in of.items() if samples == most]
            if most and len(names) == 1 and names[0]:
                found[key] = names[0]
        return found
