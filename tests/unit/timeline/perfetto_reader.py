"""Reads a Perfetto trace with Perfetto's own protobufs and checks it as its processor would.

The trace processor itself is a program that is downloaded when it is used, so it is not used here.
What it would reject or silently drop is checked instead; see ``check``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest


def packets(data: bytes) -> list[Any]:
    protos = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2")
    trace = protos.Trace()
    trace.ParseFromString(data)
    return list(trace.packet)


def check(data: bytes) -> dict[str, int]:
    """How many of each thing there are.

    Fails unless every track is described (and its parent) before its first event, and times never
    go back in a packet sequence; and, once all are sorted by time as the processor does (those of
    the same moment stay as they were written), every begin has its end on its own track, none is
    inside of another but the parts of an exchange, and every flow has one begin, and one end after
    it.
    """
    kinds = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2").TrackEvent
    described: set[int] = set()
    connections: set[int] = set()
    open_slices: dict[int, list[str]] = defaultdict(list)
    flows: dict[int, int] = {}
    counted: dict[str, int] = defaultdict(int)
    last: dict[int, int] = defaultdict(int)
    events = []
    for packet in packets(data):
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            assert track.uuid not in described
            assert not track.parent_uuid or track.parent_uuid in described
            assert track.name or track.process.process_name or track.thread.thread_name
            described.add(track.uuid)
            if ", fd " in track.name:
                connections.add(track.uuid)
            counted["tracks"] += 1
            continue
        assert packet.trusted_packet_sequence_id
        assert packet.timestamp >= last[packet.trusted_packet_sequence_id]
        last[packet.trusted_packet_sequence_id] = packet.timestamp
        assert packet.track_event.track_uuid in described
        events.append(packet)
    for packet in sorted(events, key=lambda packet: packet.timestamp):
        event = packet.track_event
        for flow in event.flow_ids:
            assert flow not in flows
            flows[flow] = packet.timestamp
            counted["flows"] += 1
        for flow in event.terminating_flow_ids:
            assert flows.pop(flow) <= packet.timestamp
        if event.type == kinds.TYPE_SLICE_BEGIN:
            assert event.name
            open_slices[event.track_uuid].append(event.name)
            depth = 2 if event.track_uuid in connections else 1
            assert len(open_slices[event.track_uuid]) <= depth, "slices overlap on a track"
            counted["slices"] += 1
        elif event.type == kinds.TYPE_SLICE_END:
            open_slices[event.track_uuid].pop()
        else:
            assert event.type == kinds.TYPE_INSTANT
            assert event.name
            counted["instants"] += 1
    assert not any(open_slices.values())
    assert not flows
    return dict(counted)
