# SPDX-License-Identifier: Apache-2.0
"""Which task awaits which. From 3.14 on futures tell; before, it follows from what tasks await."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from iotrace.asyncio_tasks.await_chain import AwaitChain
from iotrace.asyncio_tasks.instances import Instances
from iotrace.asyncio_tasks.objects import Objects, word_at
from iotrace.pystack.memory import Unreadable, read_u64

_FUTURES = 8
"""Futures between two tasks (asyncio.gather's, say) that are followed."""
_MOST_AWAITERS = 1000
_ALL_FUTURES = 100_000
"""Of all tasks together."""
_GATHERING = "_GatheringFuture"

Edges = dict[int, tuple[int, ...]]
"""Task -> the tasks that await it."""


class Awaiters:
    """The tasks that await each task."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._instances = Instances(objects)
        self._task = objects.layout.task
        self._left = _ALL_FUTURES

    def find(self, records: Mapping[int, bytes], chains: Mapping[int, AwaitChain]) -> Edges:
        """``records``: the tasks' own memory; tasks that are not among these await nothing."""
        if self._task.awaited_by is None:
            return self._from_chains(records, chains)
        return {address: self._told(raw, records) for address, raw in records.items()}

    def _told(self, raw: bytes, tasks: Mapping[int, bytes]) -> tuple[int, ...]:
        found: dict[int, None] = {}
        seen: set[int] = set()
        level = self._awaiters(raw)
        for _ in range(_FUTURES):
            found |= dict.fromkeys(one for one in level if one in tasks)
            futures = list(dict.fromkeys(one for one in level if one not in tasks))
            futures = [one for one in futures if one not in seen][: self._left]
            if not futures or len(found) > _MOST_AWAITERS:
                break
            seen.update(futures)
            self._left -= len(futures)
            size = self._task.size if self._task.node is None else self._task.node
            raws = self._objects.memory.read_many([(one, size) for one in futures])
            level = [each for one in raws if one is not None for each in self._awaiters(one)]
        return tuple(found)

    def _awaiters(self, raw: bytes) -> list[int]:
        """What awaits a future, directly: tasks and futures."""
        one = word_at(raw, self._task.awaited_by or 0) & ~self._objects.layout.offsets.code_tags
        if not one:
            return []
        if not raw[self._task.awaited_by_is_set or 0]:
            return [one]
        try:
            return self._objects.members(one)[:_MOST_AWAITERS]
        except Unreadable:
            return []

    def _from_chains(
        self, tasks: Iterable[int], chains: Mapping[int, AwaitChain]
    ) -> dict[int, tuple[int, ...]]:
        by: dict[int, dict[int, None]] = defaultdict(dict)
        known = set(tasks)
        for address, chain in chains.items():
            for awaited in self._awaited(chain):
                if awaited in known:
                    by[awaited][address] = None
        return {address: tuple(by[address]) for address in known}

    def _awaited(self, chain: AwaitChain) -> list[int]:
        if chain.target_type != _GATHERING:
            return [chain.target]
        try:
            children = self._instances.attribute(chain.target, "_children")
            count = read_u64(
                self._objects.memory, children + self._objects.layout.offsets.object_size
            )
            items = read_u64(
                self._objects.memory, children + self._objects.layout.offsets.object_size + 8
            )
            if not 0 < count <= _MOST_AWAITERS * 50:
                return []
            raw = self._objects.memory.read(items, 8 * count)
        except Unreadable:
            return []
        return [word_at(raw, at) for at in range(0, len(raw), 8)]
