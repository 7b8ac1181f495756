# SPDX-License-Identifier: Apache-2.0
"""Looks at all tasks of a process, one after the other, while the process goes on.

Whatever is read of a task is read twice: what differs is read anew, and what differs each time is
told as uncertain. A later look reads in full only those tasks that are new or have moved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from iotrace.asyncio_tasks import task as states
from iotrace.asyncio_tasks.await_chain import AwaitChain, ChainReader
from iotrace.asyncio_tasks.awaiters import Awaiters, Edges
from iotrace.asyncio_tasks.bulk_memory import Piece
from iotrace.asyncio_tasks.layout import AWAITING, CREATED, RUNNING
from iotrace.asyncio_tasks.listing import Listing, TaskFinder
from iotrace.asyncio_tasks.objects import NO_TYPE, Objects, Text, word_at
from iotrace.asyncio_tasks.task import Look, Place, Task, Unmoved
from iotrace.asyncio_tasks.waited_for import EndOfChain
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.runtime import Runtime
from iotrace.pystack.walk import RawFrame

NAME_LENGTH = 200
_TRIES = 3
_LONGEST_NS = 3_000_000_000
"""What is not read by then is left out."""
_PART = 2000
"""Tasks that are read together: what is read of them is memory until then."""
_MOST_PLACES = 1 << 16

NameFrames = Callable[[Sequence[RawFrame]], Sequence[Frame]]


@dataclass(slots=True)
class _Seen:
    """A task as it was read. ``pieces``: memory that stays as it is while the task does not move;
    ``digest``: a hash of that. ``since``: the look that found it there, and when the one before
    had begun, which did not."""

    task: Task
    chain: AwaitChain
    pieces: tuple[Piece, ...]
    digest: int
    since: Unmoved


class TaskLooks:
    """The looks at one process."""

    def __init__(
        self, version: str, runtime: Runtime, objects: Objects, name_frames: NameFrames
    ) -> None:
        self._version = version
        self._runtime = runtime
        self._objects = objects
        self._memory = objects.memory
        self._layout = objects.layout
        self._name_frames = name_frames
        self._places: dict[RawFrame, Place] = {}
        self._seen: dict[int, _Seen] = {}
        self._looks = 0
        self._begin_ns = 0
        self._end_ns = 0
        self._gap_ns = 0
        self._incomplete: tuple[str, ...] = ()

    def look(self) -> None:
        """Look at all tasks. Raises NoAsyncio, Unreadable."""
        begin_ns, before_ns = time.monotonic_ns(), self._begin_ns
        if self._looks:
            self._gap_ns = max(self._gap_ns, begin_ns - self._end_ns)
        listing = TaskFinder(self._runtime, self._objects).find()
        incomplete = list(dict.fromkeys(listing.incomplete))
        self._seen = {a: one for a, one in self._seen.items() if a in listing.threads}
        unmoved = self._unmoved(listing)
        fresh = [address for address in listing.threads if address not in unmoved]
        for begin in range(0, len(fresh), _PART):
            if time.monotonic_ns() > begin_ns + _LONGEST_NS:
                left = len(fresh) - begin
                incomplete.append(f"{left} of {len(listing.threads)} tasks were not read in time")
                break
            self._read_twice(fresh[begin : begin + _PART], listing)
        self._begin_ns, self._end_ns = begin_ns, time.monotonic_ns()
        since = Unmoved(before_ns or None, self._end_ns)
        for address in fresh:
            if address in self._seen:
                self._seen[address].since = since
        self._looks += 1
        self._incomplete = tuple(incomplete)

    @property
    def count(self) -> int:
        """Tasks of the latest look."""
        return len(self._seen)

    def told(self) -> Look:
        """What the looks have found."""
        records = self._records(list(self._seen))
        chains = {address: one.chain for address, one in self._seen.items()}
        edges = Awaiters(self._objects).find(records, chains)
        tasks = [self._with_time(one) for one in self._seen.values()]
        return Look(
            self._version,
            self._begin_ns,
            self._end_ns,
            self._looks,
            self._gap_ns,
            _linked(tasks, edges),
            self._incomplete,
        )

    def _with_time(self, one: _Seen) -> Task:
        is_still = one.task.certain and one.task.state != states.RUNNING
        return replace(one.task, unmoved=one.since if is_still else None)

    def _unmoved(self, listing: Listing) -> set[int]:
        """The tasks that are where they were, in the same await."""
        certain = [address for address, one in self._seen.items() if one.task.certain]
        return self._same(certain) - listing.running

    def _same(self, addresses: Sequence[int]) -> set[int]:
        flat = [piece for address in addresses for piece in self._seen[address].pieces]
        raws = iter(self._memory.read_many(flat))
        found = set()
        for address in addresses:
            seen = self._seen[address]
            hashes = [hash(next(raws)) for _ in seen.pieces]
            if hash(tuple(hashes)) == seen.digest:
                found.add(address)
        return found

    def _read_twice(self, addresses: Sequence[int], listing: Listing) -> None:
        left: Sequence[int] = addresses
        for _ in range(_TRIES):
            self._read(left, listing)
            left = [address for address in left if address in self._seen]
            same = self._same(left)
            for address in same:
                seen = self._seen[address]
                seen.task = replace(seen.task, certain=seen.task.state != states.RUNNING)
            left = [address for address in left if address not in same]
            if not left:
                return

    def _records(self, addresses: Sequence[int]) -> dict[int, bytes]:
        size = self._layout.task.size
        raws = self._memory.read_many([(address, size) for address in addresses])
        return {a: raw for a, raw in zip(addresses, raws, strict=True) if raw is not None}

    def _read(self, addresses: Sequence[int], listing: Listing) -> None:
        """Into ``_seen``; those that are tasks no more are dropped from there."""
        for address in addresses:
            self._seen.pop(address, None)
        task, tags = self._layout.task, ~self._layout.tags
        records = self._records(addresses)
        loops = self._loops(records)
        records = {address: raw for address, raw in records.items() if loops[address]}
        coroutines = {address: word_at(raw, task.coro) & tags for address, raw in records.items()}
        chains = ChainReader(self._objects).read(coroutines)
        names = self._objects.texts(
            [word_at(raw, task.name) for raw in records.values()], NAME_LENGTH
        )
        self._learn_places(chains)
        end = EndOfChain(self._objects)
        size = task.name + 8 - task.waiter
        for (address, raw), text in zip(records.items(), names, strict=True):
            chain = chains[address]
            told = self._described(address, raw, chain, text, listing)
            if told.state == states.SUSPENDED:
                told = replace(
                    told,
                    descriptor=end.descriptor(chain.frames, told.chain),
                    timer=end.timer(chain.frames, told.chain),
                )
            own = raw[task.waiter : task.waiter + size]
            self._seen[address] = _Seen(
                replace(told, loop=loops[address]),
                AwaitChain([], chain.target, chain.target_type, chain.cut),
                ((address + task.waiter, size), *[frame.piece for frame in chain.frames]),
                hash((hash(own), *[frame.digest for frame in chain.frames])),
                Unmoved(None, 0),
            )

    def _described(
        self, address: int, raw: bytes, chain: AwaitChain, text: Text | None, listing: Listing
    ) -> Task:
        return Task(
            address=address,
            name="?" if text is None else text.text,
            name_length=1 if text is None else text.length,
            state=self._state(address, raw, chain, listing),
            loop="",
            thread=listing.threads.get(address),
            chain=tuple([self._places[frame.raw] for frame in chain.frames]),
            awaits=chain.target_type,
            awaits_tasks=(),
            awaited_by=(),
            descriptor=None,
            timer=None,
            certain=False,
            unmoved=None,
        )

    def _state(self, address: int, raw: bytes, chain: AwaitChain, listing: Listing) -> str:
        first = chain.frames[0].state if chain.frames else None
        if address in listing.running or first == RUNNING:
            return states.RUNNING
        if first == CREATED:
            return states.CREATED
        if word_at(raw, self._layout.task.waiter) & ~self._layout.tags:
            return states.SUSPENDED
        return states.READY if first == AWAITING else states.UNKNOWN

    def _loops(self, records: Mapping[int, bytes]) -> dict[int, str]:
        """The type of each task's loop, which is the first member of a future; "": there is none,
        and that is no task any more."""
        at, tags = self._layout.object_bytes, ~self._layout.tags
        loops = {address: word_at(raw, at) & tags for address, raw in records.items()}
        distinct = list(dict.fromkeys(loops.values()))
        types = self._objects.types_of(distinct)
        names = {
            one: "" if type_ is NO_TYPE else type_.name
            for one, type_ in zip(distinct, types, strict=True)
        }
        return {address: names[loop] for address, loop in loops.items()}

    def _learn_places(self, chains: Mapping[int, AwaitChain]) -> None:
        fresh = {frame.raw: None for chain in chains.values() for frame in chain.frames}
        if len(self._places) + len(fresh) > _MOST_PLACES:
            self._places.clear()
        unknown = [raw for raw in fresh if raw not in self._places]
        for raw, frame in zip(unknown, self._name_frames(unknown), strict=True):
            self._places[raw] = Place(frame.function, frame.file, frame.line)


def _linked(tasks: Sequence[Task], edges: Edges) -> tuple[Task, ...]:
    """The tasks with who awaits whom."""
    awaits: dict[int, list[int]] = {}
    for address, awaiters in edges.items():
        for one in awaiters:
            awaits.setdefault(one, []).append(address)
    return tuple(
        [
            replace(
                one,
                awaited_by=edges.get(one.address, ()),
                awaits_tasks=tuple(awaits.get(one.address, ())),
            )
            for one in tasks
        ]
    )
