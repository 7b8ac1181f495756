# SPDX-License-Identifier: Apache-2.0
"""From a task's coroutine to what it awaits, which may be a coroutine that awaits, and so on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from iotrace.asyncio_tasks.bulk_memory import read_words
from iotrace.asyncio_tasks.frames import FrameReader, SuspendedFrame
from iotrace.asyncio_tasks.object_layout import AWAITING
from iotrace.asyncio_tasks.objects import Objects, Type

MOST_DEPTH = 64
MOST_FRAMES = 500_000
_GENERATORS = frozenset({"coroutine", "generator", "async_generator"})
_WRAPPERS = frozenset(
    {
        "coroutine_wrapper",
        "async_generator_asend",
        "async_generator_athrow",
        "anext_awaitable",
    }
)
"""Objects whose first member is what they await in turn."""
_FUTURE_ITER = "_asyncio.FutureIter"
_UNWRAPPED = 4
"""Wrappers in wrappers."""


@dataclass(slots=True)
class AwaitChain:
    """``frames``: outermost first. ``target``: the object that the last of them awaits (of a future
    the future itself), 0: none; ``target_type``: of that. ``cut``: there are more frames."""

    frames: list[SuspendedFrame] = field(default_factory=list)
    target: int = 0
    target_type: str = ""
    cut: bool = False


class ChainReader:
    """Follows the chains of many coroutines level by level."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._frames = FrameReader(objects.memory, objects.layout)

    def read(self, coroutines: Mapping[int, int]) -> dict[int, AwaitChain]:
        """The chain of each coroutine, by whatever the coroutines are keyed by."""
        chains = {key: AwaitChain() for key in coroutines}
        level = dict(coroutines)
        left = MOST_FRAMES
        for _ in range(MOST_DEPTH):
            if not level or left <= 0:
                break
            level = self._enter(level, chains)
            left -= len(level)
            frames = self._frames.read(list(level.values()))
            following: dict[int, int] = {}
            for key, frame in zip(level, frames, strict=True):
                if frame is None:
                    continue
                chains[key].frames.append(frame)
                if frame.state == AWAITING:
                    following[key] = frame.awaited
            level = following
        for key in level:
            chains[key].cut = True
        return chains

    def _enter(self, level: Mapping[int, int], chains: dict[int, AwaitChain]) -> dict[int, int]:
        """Of awaited objects those that are coroutines; the others are ends of chains."""
        entered: dict[int, int] = {}
        for _ in range(_UNWRAPPED):
            wrapped: dict[int, int] = {}
            types = self._objects.types_of(list(level.values()))
            for (key, address), type_ in zip(level.items(), types, strict=True):
                if type_.name in _GENERATORS:
                    entered[key] = address
                elif type_.name in _WRAPPERS or type_.name == _FUTURE_ITER:
                    wrapped[key] = address
                else:
                    self._end(chains[key], address, type_)
            if not wrapped:
                break
            at = self._objects.layout.offsets.object_size
            words = read_words(self._objects.memory, [one + at for one in wrapped.values()])
            level = {key: word for key, word in zip(wrapped, words, strict=True) if word}
        return entered

    def _end(self, chain: AwaitChain, address: int, type_: Type) -> None:
        chain.target = address
        chain.target_type = type_.name
