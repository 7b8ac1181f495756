# SPDX-License-Identifier: Apache-2.0
"""Looks at all tasks of a process, one after the other, while the process goes on.

Whatever is read of a task is read twice: what differs is read anew, and what differs each time is
told as uncertain. A later look reads in full only those tasks that are new or have moved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from iotrace.asyncio_tasks import task_look as states
from iotrace.asyncio_tasks.await_chain import AwaitChain, ChainReader
from iotrace.asyncio_tasks.awaiters import Awaiters
from iotrace.asyncio_tasks.bulk_memory import Piece
from iotrace.asyncio_tasks.frames import SuspendedFrame
from iotrace.asyncio_tasks.listing import Listing, TaskFinder
from iotrace.asyncio_tasks.object_layout import AWAITING, CREATED, RUNNING
from iotrace.asyncio_tasks.objects import NO_TYPE, Objects, Text, Type, word_at
from iotrace.asyncio_tasks.task_look import Look, Place, Task, Timer, Unmoved, WaitedDescriptor
from iotrace.asyncio_tasks.waited_for import EndOfChain
from iotrace.pystack.code_objects import Frame
from iotrace.pystack.runtime import Runtime
from iotrace.pystack.walk import RawFrame

NAME_LENGTH = 200
_TRIES = 3
_PART = 2000
"""Tasks that are read together: what is read of them is memory until then."""
_MOST_PLACES = 1 << 16
_UVLOOP, _UVLOOP_BASE = "uvloop.Loop", "uvloop.loop.Loop"

_NEVER = Unmoved(None, 0)

NameFrames = Callable[[Sequence[RawFrame]], Sequence[Frame]]


@dataclass(slots=True)
class _Seen:
    """A task as it was read. ``pieces``: memory that stays as it is while the task does not move;
    ``digest``: a hash of that. ``target``, ``target_type``: what its innermost coroutine awaits.
    ``since``: the look that found it there, and when the one before had begun, which did not."""

    name: Text | None
    state: str
    loop: str
    thread: int | None
    chain: tuple[Place, ...]
    target: AwaitChain
    descriptor: WaitedDescriptor | None
    timer: Timer | None
    pieces: tuple[Piece, ...]
    digest: int
    certain: bool = False
    since: Unmoved = _NEVER


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
        self._left: list[int] = []
        self._listing = Listing()
        self._looks = 0
        self._since = _NEVER
        self._begin_ns = 0
        self._end_ns = 0
        self._gap_ns = 0

    def look(self) -> int:
        """Begin a look: which tasks are there, and which have not moved. How many are left to be
        read. Raises NoAsyncio, Unreadable."""
        begin_ns = time.monotonic_ns()
        self._since = Unmoved(self._begin_ns or None, 0)
        if self._looks:
            self._gap_ns = max(self._gap_ns, begin_ns - self._end_ns)
        self._begin_ns = begin_ns
        self._listing = TaskFinder(self._runtime, self._objects).find()
        threads = self._listing.threads
        self._seen = {a: one for a, one in self._seen.items() if a in threads}
        unmoved = self._unmoved()
        self._left = [address for address in threads if address not in unmoved]
        self._looks += 1
        return self.read_part()

    def read_part(self) -> int:
        """Read some of the tasks that are left; how many are left then."""
        part, self._left = self._left[:_PART], self._left[_PART:]
        self._read_twice(part)
        self._end_ns = time.monotonic_ns()
        since = Unmoved(self._since.earliest_ns, self._end_ns)
        for address in part:
            if address in self._seen:
                self._seen[address].since = since
        return len(self._left)

    @property
    def count(self) -> int:
        """Tasks of the latest look."""
        return len(self._seen)

    def told(self) -> Look:
        """What the looks have found."""
        records = self._records(list(self._seen))
        edges = Awaiters(self._objects).find(
            records, {address: one.target for address, one in self._seen.items()}
        )
        awaits: dict[int, list[int]] = {}
        for address, awaiters in edges.items():
            for awaiter in awaiters:
                awaits.setdefault(awaiter, []).append(address)
        return Look(
            self._version,
            self._begin_ns,
            self._end_ns,
            self._looks,
            self._gap_ns,
            tuple(
                [
                    _task(address, one, tuple(awaits.get(address, ())), edges.get(address, ()))
                    for address, one in self._seen.items()
                ]
            ),
            self._incomplete(),
        )

    def _incomplete(self) -> tuple[str, ...]:
        told = dict.fromkeys(self._listing.incomplete)
        if self._left:
            whole = len(self._listing.threads)
            told[f"{len(self._left)} of {whole} tasks were not read in time"] = None
        return tuple(told)

    def _unmoved(self) -> set[int]:
        """The tasks that are where they were, in the same await."""
        certain = [address for address, one in self._seen.items() if one.certain]
        return self._same(certain) - self._listing.running

    def _same(self, addresses: Sequence[int]) -> set[int]:
        flat = [piece for address in addresses for piece in self._seen[address].pieces]
        hashes = tuple(map(hash, self._memory.read_many(flat)))
        found, at = set(), 0
        for address in addresses:
            seen = self._seen[address]
            end = at + len(seen.pieces)
            if hash(hashes[at:end]) == seen.digest:
                found.add(address)
            at = end
        return found

    def _read_twice(self, addresses: Sequence[int]) -> None:
        left: Sequence[int] = addresses
        for _ in range(_TRIES):
            self._read(left)
            left = [address for address in left if address in self._seen]
            same = self._same(left)
            for address in same:
                seen = self._seen[address]
                seen.certain = seen.state != states.RUNNING
            left = [address for address in left if address not in same]
            if not left:
                return

    def _records(self, addresses: Sequence[int]) -> dict[int, bytes]:
        size = self._layout.task.size
        raws = self._memory.read_many([(address, size) for address in addresses])
        return {a: raw for a, raw in zip(addresses, raws, strict=True) if raw is not None}

    def _read(self, addresses: Sequence[int]) -> None:
        """Into ``_seen``; those that are tasks no more are dropped from there."""
        for address in addresses:
            self._seen.pop(address, None)
        task, tags = self._layout.task, ~self._layout.offsets.code_tags
        records = self._records(addresses)
        loops = self._loops(records)
        records = {address: raw for address, raw in records.items() if loops[address]}
        coroutines = {address: word_at(raw, task.coro) & tags for address, raw in records.items()}
        chains = ChainReader(self._objects).read(coroutines)
        names = [word_at(raw, task.name) for raw in records.values()]
        texts = self._objects.texts(names, NAME_LENGTH)
        self._learn_places(chains)
        end = EndOfChain(self._objects)
        size = task.name + 8 - task.waiter
        for (address, raw), text in zip(records.items(), texts, strict=True):
            chain = chains[address]
            frames, chain.frames = chain.frames, []
            places = tuple([self._places[frame.raw] for frame in frames])
            state = self._state(address, raw, frames)
            waits = state == states.SUSPENDED
            timer = end.timer(frames, places) if waits else None
            more, digests = timer[1] if timer else ((), ())
            own = raw[task.waiter : task.waiter + size]
            self._seen[address] = _Seen(
                name=text,
                state=state,
                loop=loops[address],
                thread=self._listing.threads.get(address),
                chain=places,
                target=chain,
                descriptor=end.descriptor(frames, places) if waits else None,
                timer=timer[0] if timer else None,
                pieces=((address + task.waiter, size), *[one.piece for one in frames], *more),
                digest=hash((hash(own), *[one.digest for one in frames], *digests)),
            )

    def _state(self, address: int, raw: bytes, frames: Sequence[SuspendedFrame]) -> str:
        first = frames[0].state if frames else None
        if address in self._listing.running or first == RUNNING:
            return states.RUNNING
        if first == CREATED:
            return states.CREATED
        if word_at(raw, self._layout.task.waiter) & ~self._layout.offsets.code_tags:
            return states.SUSPENDED
        return states.READY if first == AWAITING else states.UNKNOWN

    def _loops(self, records: Mapping[int, bytes]) -> dict[int, str]:
        """The type of each task's loop, which is the first member of a future; "": there is none,
        and that is no task any more."""
        at, tags = self._layout.offsets.object_size, ~self._layout.offsets.code_tags
        loops = {address: word_at(raw, at) & tags for address, raw in records.items()}
        distinct = list(dict.fromkeys(loops.values()))
        types = self._objects.types_of(distinct)
        names = {one: self._loop(type_) for one, type_ in zip(distinct, types, strict=True)}
        return {address: names[loop] for address, loop in loops.items()}

    def _loop(self, type_: Type) -> str:
        """uvloop's own type has a plain name, unlike its base."""
        if type_ is NO_TYPE:
            return ""
        return _UVLOOP if self._objects.is_a(type_, _UVLOOP_BASE) else type_.name

    def _learn_places(self, chains: Mapping[int, AwaitChain]) -> None:
        fresh = {frame.raw: None for chain in chains.values() for frame in chain.frames}
        if len(self._places) + len(fresh) > _MOST_PLACES:
            self._places.clear()
        unknown = [raw for raw in fresh if raw not in self._places]
        for raw, frame in zip(unknown, self._name_frames(unknown), strict=True):
            self._places[raw] = Place(frame.function, frame.file, frame.line)


def _task(
    address: int, one: _Seen, awaits_tasks: tuple[int, ...], awaited_by: tuple[int, ...]
) -> Task:
    name = one.name
    return Task(
        address=address,
        name="?" if name is None else name.text,
        name_length=1 if name is None else name.length,
        state=one.state,
        loop=one.loop,
        thread=one.thread,
        chain=one.chain,
        awaits=one.target.target_type,
        awaits_tasks=awaits_tasks,
        awaited_by=awaited_by,
        descriptor=one.descriptor,
        timer=one.timer,
        certain=one.certain,
        unmoved=one.since if one.certain else None,
    )
