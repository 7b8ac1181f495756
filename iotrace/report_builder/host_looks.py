# SPDX-License-Identifier: Apache-2.0
"""What a report asks of all processes of the host, where a long wait is worth it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from iotrace.procfs.fanotify import deciders, waits_for_permission
from iotrace.procfs.pipe_ends import Ends, readers_of, writers_of

_MOST_PIPES = 64


@dataclass(frozen=True, slots=True)
class HostLooks:
    """``writers_of``, ``readers_of``: who has a pipe open, by its inode; ``deciders``: who has to
    allow accesses to files; ``waits_for_permission``: whether a thread (pid, tid) waits for that.
    """

    writers_of: Callable[[int], Ends] = writers_of
    readers_of: Callable[[int], Ends] = readers_of
    deciders: Callable[[], tuple[str, ...]] = deciders
    waits_for_permission: Callable[[int, int], bool] = waits_for_permission


def looks() -> HostLooks:
    """For one report: each is asked once. Pipes are closed, and their numbers given away, too."""
    return HostLooks(
        lru_cache(maxsize=_MOST_PIPES)(writers_of),
        lru_cache(maxsize=_MOST_PIPES)(readers_of),
        lru_cache(maxsize=1)(deciders),
    )
