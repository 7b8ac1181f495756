# SPDX-License-Identifier: Apache-2.0
"""A timeline as Chrome's trace event format (chrome://tracing, ui.perfetto.dev, Speedscope).

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU: times are in
microseconds; "X" is a slice, "i" an instant, "s" and "f" the ends of an arrow, "M" a name. Events
may stand in any order, so each is written as soon as it is known, and none is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from iotrace.timeline.drawing import Drawn, Exchange, Place, Slice

# Threads are numbered up to 2**22 (proc(5), pid_max); a thread's states are a track beside it.
_STATES = 1 << 23
_CONNECTIONS = 1 << 24
"""Connections are numbered from here on."""

_quoted = lru_cache(maxsize=4096)(json.dumps)


def render(things: Iterable[Drawn], names: Mapping[int, str]) -> Iterator[str]:
    """The file, an event at a time; ``names``: of processes and threads by number."""
    yield '{"displayTimeUnit":"ns","traceEvents":[\n' + _name("process_name", 0, 0, "sockets")
    for event in _events(things, names):
        yield ",\n" + event
    yield "\n]}\n"


def _events(things: Iterable[Drawn], names: Mapping[int, str]) -> Iterator[str]:
    processes: set[int] = set()
    threads: set[tuple[int, int]] = set()
    connections: dict[tuple[int, str], int] = {}
    for place, pid, tid, what in things:
        if pid and pid not in processes:
            processes.add(pid)
            yield _name("process_name", pid, 0, names.get(pid, str(pid)))
        if isinstance(what, Exchange):
            if (pid, what.track) not in connections:
                connections[pid, what.track] = _CONNECTIONS + len(connections)
                yield _name("thread_name", pid, connections[pid, what.track], what.track)
            for one in (what.whole, *what.parts):
                yield _slice(one, pid, connections[pid, what.track])
            continue
        if tid and (pid, tid) not in threads:
            threads.add((pid, tid))
            name = names.get(tid, str(tid))
            yield _name("thread_name", pid, tid, name)
            yield _name("thread_name", pid, tid + _STATES, f"{name}: states")
        if isinstance(what, Slice):
            beside = tid + _STATES if place is Place.STATES else tid
            yield _slice(what, pid, beside)
            if what.flow is not None:
                yield _arrow("f", what.flow, what.from_ns, pid, beside)
        else:
            yield f'{{"ph":"i","s":"t","name":{_quoted(what.name)},{_at(what.at_ns, pid, tid)}}}'
            if what.flow is not None:
                yield _arrow("s", what.flow, what.at_ns, pid, tid)


def _slice(one: Slice, pid: int, tid: int) -> str:
    name, from_ns, to_ns, details, _ = one
    noted = ",".join(f"{_quoted(key)}:{_quoted(value)}" for key, value in details.items())
    arguments = f',"args":{{{noted}}}' if noted else ""
    return (
        f'{{"ph":"X","name":{_quoted(name)},{_at(from_ns, pid, tid)},'
        f'"dur":{(to_ns - from_ns) / 1000}{arguments}}}'
    )


def _arrow(end: str, number: int, at_ns: int, pid: int, tid: int) -> str:
    to = '"bp":"e",' if end == "f" else ""
    at = _at(at_ns, pid, tid)
    return f'{{"ph":"{end}",{to}"id":{number},"cat":"ready","name":"pickup",{at}}}'


def _at(ns: int, pid: int, tid: int) -> str:
    return f'"ts":{ns / 1000},"pid":{pid},"tid":{tid}'


def _name(what: str, pid: int, tid: int, name: str) -> str:
    return f'{{"ph":"M","name":"{what}","pid":{pid},"tid":{tid},"args":{{"name":{_quoted(name)}}}}}'
