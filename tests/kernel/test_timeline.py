"""Single events: the slices of exchanges are those of the ledger."""

from __future__ import annotations

import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iotrace.engine.map_limits import Limits
from iotrace.recording.recording_reader import read_recording
from iotrace.timeline.recorded_events import Timeline
from iotrace.timeline.tracks import tracks_of
from iotrace.vocabulary.events import EventKind
from tests.kernel.command import started, wait_until_tracing
from tests.kernel.test_requests import Server, ask, requests_of
from tests.kernel.tracing import process_of, report_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import DEADLINE_S, wait_until

_EXCHANGES = 23


def test_each_exchange_is_a_slice_with_its_parts() -> None:
    limits = Limits(timeline_pages=256)
    with Server("loop") as server, tracing(server.pid, limits=limits) as trace:
        trace.timeline(True)
        with server.connect() as connection:
            for _ in range(_EXCHANGES):
                assert ask(connection) == b"ok\n"
            assert ask(connection, "two") == b"ok\n"
        report = report_of(trace)
        timeline = Timeline(trace.packed_events(), trace.probes.call_names)
    row = requests_of(report, server.pid)
    found = tracks_of(timeline).exchanges
    assert len(found) == row.exchanges == _EXCHANGES + 1
    assert {one.group for one in found} == {f"requests :{row.listener.rpartition(':')[2]}"}
    parts = dict.fromkeys(("queue", "pickup", "service", "last byte"), 0)
    for one in found:
        for part in one.parts:
            parts[part.name] += part.to_ns - part.from_ns
    assert parts["queue"] == sum(tier.queue_ns for tier in row.tiers)
    assert parts["pickup"] == sum(sum(tier.pickup_ns.values()) for tier in row.tiers)
    assert parts["service"] == sum(sum(tier.service_ns.values()) for tier in row.tiers)
    assert parts["last byte"] > 20_000_000, "the second half of the last one"


@contextmanager
def _asked_all_the_time(connection: socket.socket) -> Iterator[None]:
    """The server answers one request after the other; the last one has its answer at the end."""
    enough = threading.Event()

    def go_on_asking() -> None:
        while not enough.wait(0.001):  # it shares the CPUs with the tracer
            assert ask(connection) == b"ok\n"

    client = threading.Thread(target=go_on_asking)
    client.start()
    try:
        yield
    finally:
        enough.set()
        client.join(DEADLINE_S)


def test_a_recording_has_an_event_of_each_call_from_the_first_that_is_charged(
    tmp_path: Path,
) -> None:
    """Many calls are made while what reads them is still being imported."""
    path = tmp_path / "x.iot"
    command = ("record", "--timeline", "--no-children", "-o", path)
    with Server("loop") as server, server.connect() as connection:
        assert ask(connection) == b"ok\n"
        with started(*command, server.pid) as recorder:
            with _asked_all_the_time(connection):
                wait_until_tracing(recorder)
            wait_until(lambda: sleeps_in(server.pid, server.pid, "epoll_wait"), "the last answer")
            recorder.send_signal(signal.SIGINT)
            _, errors = recorder.communicate(timeout=DEADLINE_S)
        assert recorder.returncode == 0, errors
    recording = read_recording(path, timeline=True)
    timeline = recording.timeline
    assert timeline is not None
    returned = Counter(
        timeline.calls.get(event.number)
        for event in timeline.events()
        if event.kind == EventKind.EXIT
    )
    made = Counter[str]()
    for call in process_of(recording.report, server.pid).calls:
        made[call.syscall] += call.calls or 0
    assert made["recvfrom"] > 0
    for name in ("recvfrom", "sendto"):
        assert returned[name] == made[name], "tracing/start.py, stream_events"
