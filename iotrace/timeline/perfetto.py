"""The tracks as a Perfetto trace, made by the perfetto package's own builder.

Tracks are described before their events (protos/perfetto/trace/track_event/track_event.proto);
packets are in the order of time, as a streaming reader expects them.
"""

from __future__ import annotations

import heapq
import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from operator import itemgetter
from typing import Any

from iotrace.errors import Unsupported
from iotrace.timeline.tracks import Instant, Slice, Tracks

_SEQUENCE = 1
_ARRIVALS = 1
"""The uuid of the track of data that arrives; all other tracks count on from it."""

_Event = tuple[int, Callable[[Any], None]]
"""When, and what writes it."""


def render(tracks: Tracks, names: Mapping[int, str]) -> bytes:
    """The file; ``names``: of processes and threads by number. Raises Unsupported."""
    try:
        builder_module = importlib.import_module("perfetto.trace_builder.proto_builder")
        protos: Any = importlib.import_module("perfetto.protos.perfetto.trace.perfetto_trace_pb2")
    except ImportError as error:
        raise Unsupported(
            "The package perfetto is not installed.",
            why="It writes Perfetto's format; -f chrome needs nothing.",
            paste="pip install perfetto",
        ) from error
    page = _Page(builder_module.TraceProtoBuilder(), protos.TrackEvent)
    page.describe(tracks, names)
    page.draw(tracks)
    return bytes(page.builder.serialize())


class _Page:
    def __init__(self, builder: Any, kinds: Any) -> None:
        self.builder = builder
        self._kinds = kinds
        self._uuids: dict[tuple[int, int, str], int] = {}

    def describe(self, tracks: Tracks, names: Mapping[int, str]) -> None:
        self._descriptor(_ARRIVALS).name = "data ready"
        for pid in sorted({thread.pid for thread in tracks.threads}):
            process = self._descriptor(self._uuid(pid, 0, "")).process
            process.pid = pid
            process.process_name = names.get(pid, str(pid))
        for thread in tracks.threads:
            calls = self._uuid(thread.pid, thread.tid, "calls")
            described = self._descriptor(calls)
            described.parent_uuid = self._uuid(thread.pid, 0, "")
            described.thread.pid, described.thread.tid = thread.pid, thread.tid
            described.thread.thread_name = names.get(thread.tid, str(thread.tid))
            states = self._descriptor(self._uuid(thread.pid, thread.tid, "states"))
            states.parent_uuid = calls
            states.name = "states"

    def draw(self, tracks: Tracks) -> None:
        # Each track is in order already; at the same moment, an arrow's start comes first.
        for at_ns, fill in heapq.merge(*self._tracks(tracks), key=itemgetter(0)):
            packet = self.builder.add_packet()
            packet.timestamp = at_ns
            packet.trusted_packet_sequence_id = _SEQUENCE
            fill(packet.track_event)

    def _tracks(self, tracks: Tracks) -> Iterator[Iterator[_Event]]:
        yield self._instants(tracks.arrivals, _ARRIVALS)
        for thread in tracks.threads:
            calls = self._uuid(thread.pid, thread.tid, "calls")
            yield self._slices(thread.calls, calls)
            yield self._slices(thread.states, self._uuid(thread.pid, thread.tid, "states"))
            yield self._instants(thread.signals, calls)

    def _slices(self, slices: Iterable[Slice], uuid: int) -> Iterator[_Event]:
        for one in slices:
            yield one.from_ns, partial(self._begin, one, uuid)
            yield one.to_ns, partial(self._end, uuid)

    def _instants(self, instants: Iterable[Instant], uuid: int) -> Iterator[_Event]:
        return ((one.at_ns, partial(self._instant, one, uuid)) for one in instants)

    def _begin(self, one: Slice, uuid: int, event: Any) -> None:
        event.type, event.track_uuid = self._kinds.TYPE_SLICE_BEGIN, uuid
        event.name = one.name
        if one.flow is not None:
            event.terminating_flow_ids.append(one.flow)
        for key, value in one.details.items():
            annotation = event.debug_annotations.add()
            annotation.name = key
            if isinstance(value, int):
                annotation.int_value = value
            else:
                annotation.string_value = value

    def _end(self, uuid: int, event: Any) -> None:
        event.type, event.track_uuid = self._kinds.TYPE_SLICE_END, uuid

    def _instant(self, one: Instant, uuid: int, event: Any) -> None:
        event.type, event.track_uuid = self._kinds.TYPE_INSTANT, uuid
        event.name = one.name
        if one.flow is not None:
            event.flow_ids.append(one.flow)

    def _descriptor(self, uuid: int) -> Any:
        packet = self.builder.add_packet()
        packet.trusted_packet_sequence_id = _SEQUENCE
        packet.track_descriptor.uuid = uuid
        return packet.track_descriptor

    def _uuid(self, pid: int, tid: int, track: str) -> int:
        return self._uuids.setdefault((pid, tid, track), _ARRIVALS + 1 + len(self._uuids))
