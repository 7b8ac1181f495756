# SPDX-License-Identifier: Apache-2.0
"""A timeline as a Perfetto trace, made by the perfetto package's own builder.

A track is described before its first event (protos/perfetto/trace/track_event/track_event.proto),
and is a packet sequence of its own: in the order of time. Between sequences there is no order, and
none is asked for (perfetto.dev/docs/reference/trace-packet-proto); so each packet is written as
soon as it is known, and none is kept.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from iotrace.errors import Unsupported
from iotrace.timeline.drawing import Drawn, Exchange, Instant, Place, Slice

_ARRIVALS = 1
"""The uuid of the track of data that arrives; all other tracks count on from it."""


def render(things: Iterable[Drawn], names: Mapping[int, str]) -> Iterator[bytes]:
    """The file, piece by piece; ``names``: of processes and threads by number.

    Raises Unsupported, before anything is drawn.
    """
    try:
        builder_module = importlib.import_module("perfetto.trace_builder.proto_builder")
        protos: Any = importlib.import_module("perfetto.protos.perfetto.trace.perfetto_trace_pb2")
    except ImportError as error:
        raise Unsupported(
            "The package perfetto is not installed.",
            why="It writes Perfetto's format; -f chrome needs nothing.",
            paste="pip install perfetto",
        ) from error
    page = _Page(builder_module.StreamingTraceProtoBuilder, protos.TrackEvent, names)
    return page.drawn(things)


class _Page:
    def __init__(
        self, builder: Callable[[io.BytesIO], Any], kinds: Any, names: Mapping[int, str]
    ) -> None:
        self._written = io.BytesIO()
        self._builder = builder(self._written)
        self._kinds = kinds
        self._names = names
        self._uuids: dict[tuple[int, int, Place | None], int] = {}
        self._connections: dict[tuple[int, str], int] = {}
        self._last = _ARRIVALS

    def drawn(self, things: Iterable[Drawn]) -> Iterator[bytes]:
        self._describe(_ARRIVALS, 0).name = "data ready"
        self._write()
        for place, pid, tid, what in things:
            if isinstance(what, Exchange):
                self._exchange(what, self._connection(pid, what))
                yield self._taken()
                continue
            uuid = _ARRIVALS if place is Place.ARRIVALS else self._track(pid, tid, place)
            if isinstance(what, Slice):
                self._slice(what, uuid)
            else:
                # A signal comes in the middle of a call that is written when it has returned.
                sequence = self._signals(pid, tid) if place is Place.SIGNALS else uuid
                self._instant(what, uuid, sequence)
            yield self._taken()
        yield self._taken()

    def _taken(self) -> bytes:
        data = self._written.getvalue()
        self._written.seek(0)
        self._written.truncate()
        return data

    def _track(self, pid: int, tid: int, place: Place) -> int:
        """The track's uuid; it, its process and thread are described first."""
        if place is Place.SIGNALS:
            place = Place.CALLS
        known = self._uuids.get((pid, tid, place))
        if known is not None:
            return known
        self._process(pid)
        if place is Place.STATES:
            states = self._describe(self._new(pid, tid, place), self._track(pid, tid, Place.CALLS))
            states.name = "states"
        else:
            parent = self._uuids[pid, 0, None]
            thread = self._describe(self._new(pid, tid, place), parent).thread
            thread.pid, thread.tid = pid, tid
            thread.thread_name = self._names.get(tid, str(tid))
        self._write()
        return self._uuids[pid, tid, place]

    def _process(self, pid: int) -> int:
        if (pid, 0, None) not in self._uuids:
            process = self._describe(self._new(pid, 0, None), 0).process
            process.pid = pid
            process.process_name = self._names.get(pid, str(pid))
            self._write()
        return self._uuids[pid, 0, None]

    def _connection(self, pid: int, one: Exchange) -> int:
        """The track of a connection, below that of its listener or peer."""
        parent = self._process(pid)
        for name in (one.group, one.track):
            known = self._connections.get((pid, name))
            if known is None:
                known = self._next()
                self._describe(known, parent).name = name
                self._write()
                self._connections[pid, name] = known
            parent = known
        return parent

    def _exchange(self, one: Exchange, uuid: int) -> None:
        self._begin(one.whole, uuid)
        for part in one.parts:
            self._slice(part, uuid)
        self._end(one.whole, uuid)

    def _slice(self, one: Slice, uuid: int) -> None:
        self._begin(one, uuid)
        self._end(one, uuid)

    def _end(self, one: Slice, uuid: int) -> None:
        self._event(one.to_ns, uuid, uuid).type = self._kinds.TYPE_SLICE_END
        self._write()

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _new(self, pid: int, tid: int, place: Place | None) -> int:
        uuid = self._uuids[pid, tid, place] = self._next()
        return uuid

    def _signals(self, pid: int, tid: int) -> int:
        key = pid, tid, Place.SIGNALS
        return self._uuids.get(key) or self._new(*key)

    def _begin(self, one: Slice, uuid: int) -> None:
        event = self._event(one.from_ns, uuid, uuid)
        event.type, event.name = self._kinds.TYPE_SLICE_BEGIN, one.name
        if one.flow is not None:
            event.terminating_flow_ids.append(one.flow)
        for key, value in one.details.items():
            annotation = event.debug_annotations.add()
            annotation.name = key
            if isinstance(value, int):
                annotation.int_value = value
            else:
                annotation.string_value = value
        self._write()

    def _instant(self, one: Instant, uuid: int, sequence: int) -> None:
        event = self._event(one.at_ns, uuid, sequence)
        event.type, event.name = self._kinds.TYPE_INSTANT, one.name
        if one.flow is not None:
            event.flow_ids.append(one.flow)
        self._write()

    def _event(self, at_ns: int, uuid: int, sequence: int) -> Any:
        self._packet = self._builder.create_packet()
        self._packet.trusted_packet_sequence_id = sequence
        self._packet.timestamp = at_ns
        self._packet.track_event.track_uuid = uuid
        return self._packet.track_event

    def _describe(self, uuid: int, parent: int) -> Any:
        self._packet = self._builder.create_packet()
        self._packet.trusted_packet_sequence_id = uuid
        described = self._packet.track_descriptor
        described.uuid = uuid
        if parent:
            described.parent_uuid = parent
        return described

    def _write(self) -> None:
        """The packet that was made last."""
        self._builder.write_packet(self._packet)
