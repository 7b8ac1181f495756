# SPDX-License-Identifier: Apache-2.0
"""The asyncio task that ran in something slow, as the probes note it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from iotrace.engine.constants import TASK_NAME_BYTES, TaskOf
from iotrace.engine.probes import Probes
from iotrace.pystack.code_objects import Frame


@dataclass(frozen=True, slots=True)
class TaskNote:
    """A running task and those that await it, each the one before.

    ``longest_ns``: of the call, stall or exchange that it ran in. ``chain``: the hash of a stack:
    where those that await do so, one frame each; 0: there are none. ``several``: of several that
    await one is told; ``more``: the last one is awaited in turn. ``raw``: memory of the names, the
    running task's first; ``names`` and ``frames`` (of the chain) are () until somebody reads them.
    """

    longest_ns: int
    chain: int
    several: bool
    more: bool
    raw: tuple[bytes, ...]
    names: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()


NoteKey = tuple[int, int, int]
"""What it is of, and struct task_key (probes/python.c)."""


def line_note(stack: int, pid: int, number: int, kind: int) -> NoteKey:
    """Of a line, by its key."""
    return TaskOf.LINE, stack, pid | number << 32 | kind << 48


def stall_note(stack: int, loop: int, cause: int, kind: int, number: int) -> NoteKey:
    """Of stalls, by their key."""
    return TaskOf.STALL, stack, loop | cause << 32 | kind << 40 | number << 48


def exchange_note(place: int) -> NoteKey:
    """Of an exchange, by its place in the table of exemplars."""
    return TaskOf.EXCHANGE, place + 1, 0


def read_notes(probes: Probes) -> Mapping[NoteKey, TaskNote]:
    """What the probes have noted."""
    if not probes.has_map("task_notes"):
        return {}
    layout = probes.layout("task_notes")
    notes = {}
    for raw_key, raw in probes.map("task_notes").items():
        record = layout.unpack(raw)
        names = bytes(layout.array(raw, "names"))
        starts = range(0, record["depth"] * TASK_NAME_BYTES, TASK_NAME_BYTES)
        stack, of_what, of = (int.from_bytes(raw_key[at : at + 8], "little") for at in (0, 8, 16))
        notes[of, stack, of_what] = TaskNote(
            longest_ns=record["longest_ns"],
            chain=record["chain"],
            several=bool(record["several"]),
            more=bool(record["more"]),
            raw=tuple([names[at : at + TASK_NAME_BYTES] for at in starts]),
        )
    return notes
