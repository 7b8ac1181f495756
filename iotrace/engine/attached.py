# SPDX-License-Identifier: Apache-2.0
"""What runs in the kernel, by descriptors that this process holds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_MEANWHILE_S = 0.1


def start_thread(work: Callable[[], None]) -> threading.Thread | None:
    """A thread that does it; None where this process may not have one more."""
    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread


@dataclass(frozen=True, slots=True)
class Map:
    """One kernel map by its descriptor."""

    fd: int
    key_size: int
    value_size: int
    entries: int
    layout: str


@dataclass(frozen=True, slots=True)
class Attached:
    """What runs in the kernel now. It stays as long as somebody holds ``links``."""

    maps: dict[str, Map]
    programs: dict[str, int]
    links: dict[str, int]
    unavailable: dict[str, str]
    later: list[Callable[[], None]] = field(default_factory=list)
    """What loads the programs that charging does not wait for."""
    loading: list[threading.Thread] = field(default_factory=list)

    def load_later(self) -> None:
        """Begin to load those, beside what else is to be done."""
        while self.later:
            work = self.later.pop()
            thread = start_thread(work)
            if thread:
                self.loading.append(thread)
            else:
                work()

    def settle(self, meanwhile: Callable[[], None] | None = None) -> None:
        """Wait until those are loaded too, and do that ten times a second."""
        self.load_later()
        while self.loading:
            self.loading[-1].join(_MEANWHILE_S if meanwhile else None)
            if meanwhile and self.loading[-1].is_alive():
                meanwhile()
            else:
                self.loading.pop()

    def close(self) -> None:
        """Give everything back: the probes are gone with it."""
        self.settle()
        for fd in (*self.links.values(), *self.programs.values()):
            os.close(fd)
        for one in self.maps.values():
            os.close(one.fd)
        for table in (self.links, self.programs, self.maps):
            table.clear()
