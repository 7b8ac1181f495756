"""The tracks as Chrome's trace event format (chrome://tracing, ui.perfetto.dev, Speedscope).

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: times are in
microseconds; "X" is a slice, "i" an instant, "s" and "f" the ends of an arrow, "M" a name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from iotrace.timeline.tracks import Slice, ThreadTrack, Tracks

# Threads are numbered up to 2**22 (proc(5), pid_max); a thread's states are a track beside it.
_STATES = 1 << 23


def render(tracks: Tracks, names: Mapping[int, str]) -> str:
    """The file; ``names``: of processes and threads by number."""
    lines = (json.dumps(event, separators=(",", ":")) for event in _events(tracks, names))
    return '{"displayTimeUnit":"ns","traceEvents":[\n' + ",\n".join(lines) + "\n]}\n"


def _events(tracks: Tracks, names: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    yield _name("process_name", 0, 0, "sockets")
    for pid in sorted({thread.pid for thread in tracks.threads}):
        yield _name("process_name", pid, 0, names.get(pid, str(pid)))
    for arrival in tracks.arrivals:
        at = {"ts": arrival.at_ns / 1000, "pid": 0, "tid": 0}
        yield {"ph": "i", "s": "t", "name": arrival.name, **at}
        if arrival.flow is not None:
            yield {"ph": "s", "id": arrival.flow, "cat": "ready", "name": "pickup", **at}
    for thread in tracks.threads:
        yield from _thread(thread, names)


def _thread(thread: ThreadTrack, names: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    place = {"pid": thread.pid, "tid": thread.tid}
    name = f"{names.get(thread.tid, str(thread.tid))}"
    yield _name("thread_name", thread.pid, thread.tid, name)
    yield _name("thread_name", thread.pid, thread.tid + _STATES, f"{name}: states")
    for call in thread.calls:
        yield {**_slice(call), **place}
    beside = {"pid": thread.pid, "tid": thread.tid + _STATES}
    for state in thread.states:
        yield {**_slice(state), **beside}
        if state.flow is not None:
            at = {"ts": state.from_ns / 1000, **beside}
            yield {"ph": "f", "bp": "e", "id": state.flow, "cat": "ready", "name": "pickup", **at}
    for signal in thread.signals:
        yield {"ph": "i", "s": "t", "name": signal.name, "ts": signal.at_ns / 1000, **place}


def _slice(one: Slice) -> dict[str, Any]:
    event = {"ph": "X", "name": one.name, "ts": one.from_ns / 1000}
    event["dur"] = (one.to_ns - one.from_ns) / 1000
    return {**event, "args": dict(one.details)} if one.details else event


def _name(what: str, pid: int, tid: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}}
