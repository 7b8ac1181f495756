# SPDX-License-Identifier: Apache-2.0
"""Read the tables whose keys hold a Python stack: lines, wake-ups, samples, causes of stalls.

Each is empty where the probes have no such table.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from iotrace.engine.constants import Cause
from iotrace.engine.probes import Probes
from iotrace.engine.record_layout import Layout
from iotrace.procfs.files import text_of
from iotrace.snapshot import decode
from iotrace.snapshot.arithmetic import add_under
from iotrace.snapshot.stack_totals import (
    CodeKey,
    LineKey,
    LineTotals,
    SampleKey,
    SampleTotals,
    StallCauseKey,
    StallCauseTotals,
    WakeKey,
    WakeTotals,
)
from iotrace.snapshot.task_note import NoteKey, TaskNote, line_note, stall_note
from iotrace.snapshot.totals import ThreadKey
from iotrace.vocabulary.kinds import Kind

_LINE_KEY = struct.Struct("<QIHH")
_WAKE_KEY = struct.Struct("<QQII")
_STALL_CAUSE_KEY = struct.Struct("<QIBBH")
_SAMPLE_KEY = struct.Struct("<QII")
_CODE_KEY = struct.Struct("<QQII")
_CODE_SAMPLES = struct.Struct("<Q")


def read_lines(probes: Probes, notes: Mapping[NoteKey, TaskNote]) -> dict[LineKey, LineTotals]:
    paths = _line_paths(probes)
    lines = {}
    for raw_key, raw, layout in _entries(probes, "lines"):
        stack, pid, number, kind = _LINE_KEY.unpack(raw_key)
        values = layout.unpack(raw)
        if values["calls"]:
            key = pid, stack, number, Kind(kind).label
            task = notes.get(line_note(stack, pid, number, kind))
            path = paths.get(raw_key, "")
            lines[key] = decode.decoded(LineTotals, layout, raw, values, task=task, path=path)
    return lines


def _entries(probes: Probes, name: str) -> Iterator[tuple[bytes, bytes, Layout]]:
    """Key, value and the value's layout; none where the probes have no such table."""
    if probes.has_map(name):
        layout = probes.layout(name)
        for key, raw in probes.map(name).items():
            yield key, raw, layout


def _line_paths(probes: Probes) -> dict[bytes, str]:
    if not probes.has_map("line_paths"):
        return {}
    return {key: text_of(raw.partition(b"\0")[0]) for key, raw in probes.map("line_paths").items()}


def read_wakes(probes: Probes) -> dict[WakeKey, WakeTotals]:
    wakes = {}
    for raw_key, raw, layout in _entries(probes, "wakes"):
        waiter, waker, pid, kind = _WAKE_KEY.unpack(raw_key)
        values = layout.unpack(raw)
        if values["calls"]:
            key = pid, waiter, waker, Kind(kind).label
            wakes[key] = decode.decoded(WakeTotals, layout, raw, values)
    return wakes


def read_samples(probes: Probes) -> dict[SampleKey, SampleTotals]:
    samples = {}
    for raw_key, raw, layout in _entries(probes, "samples"):
        stack, pid, of = _SAMPLE_KEY.unpack(raw_key)
        samples[pid, stack, of] = decode.decoded(SampleTotals, layout, raw, layout.unpack(raw))
    return samples


def read_stall_code(probes: Probes) -> dict[CodeKey, int]:
    if not probes.has_map("stall_code"):
        return {}
    found = {}
    for raw_key, raw in probes.map("stall_code").items():
        stack, page, pid, _reserved = _CODE_KEY.unpack(raw_key)
        found[pid, stack, page] = _CODE_SAMPLES.unpack(raw)[0]
    return found


def read_stall_causes(
    probes: Probes, keys: Mapping[int, ThreadKey], notes: Mapping[NoteKey, TaskNote]
) -> dict[StallCauseKey, StallCauseTotals]:
    loops = probes.loops
    stall_causes: dict[StallCauseKey, StallCauseTotals] = {}
    for raw_key, raw, layout in _entries(probes, "stall_causes"):
        stack, index, cause, kind, number = _STALL_CAUSE_KEY.unpack(raw_key)
        loop, values = loops.layout.unpack(loops.read(index)), layout.unpack(raw)
        if loop["slot"] in keys and values["stalls"]:
            why = Cause(cause).name.lower()
            thread = keys[loop["slot"]]
            key = thread, loop["nr"], why, stack, number, Kind(kind).label
            task = notes.get(stall_note(stack, index, cause, kind, number))
            totals = decode.decoded(StallCauseTotals, layout, raw, values, task=task)
            add_under(stall_causes, key, totals)
    return stall_causes
