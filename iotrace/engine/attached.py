# SPDX-License-Identifier: Apache-2.0
"""What runs in the kernel, by descriptors that this process holds."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field


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
    loading: list[threading.Thread] = field(default_factory=list)

    def settle(self) -> None:
        """Wait for what is still being loaded: see load."""
        while self.loading:
            self.loading.pop().join()

    def close(self) -> None:
        """Give everything back: the probes are gone with it."""
        self.settle()
        for fd in (*self.links.values(), *self.programs.values()):
            os.close(fd)
        for one in self.maps.values():
            os.close(one.fd)
        for table in (self.links, self.programs, self.maps):
            table.clear()
