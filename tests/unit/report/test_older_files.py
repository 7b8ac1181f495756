"""Files of older versions are read; one of a newer version is refused as such."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iotrace import __version__
from iotrace.output import formats
from iotrace.recording import container
from iotrace.recording.recording_reader import read_recording
from iotrace.report.codec import BadReport, from_dict, loads, to_dict
from iotrace.report.event_loops import Stalls
from iotrace.report.stacks import StallCause
from iotrace.timeline.recorded_events import EVENT
from iotrace.timeline.tracks import EXIT, SLEEP, tracks_of
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit import reports

# As the first version of the schema wrote it: no gil among the reasons to wait, no histograms, no
# stalls, lines, shapes or intervals.
OLD = """
{"schema": "iotrace.report/1", "iotrace": "0.0.9", "started_at": "2025-11-23T08:07:11.000+00:00",
 "duration_ns": 1000000000, "host": {"kernel": "6.8.0", "machine": "x86_64", "cpus": 2},
 "processes": [{"pid": 7, "parent": 1, "name": "python", "cmdline": ["python", "app.py"],
  "python": "3.11.2", "started_ns": 0, "ended_ns": null,
  "model": {"id": "epoll", "title": "event loop", "confidence": 0.9, "evidence": ["a", "b"]},
  "threads": [{"tid": 7, "name": "python", "lifetime_ns": 1000000000,
   "states_ns": {"user": 60, "kernel": 30, "copy": 9, "runq": 1, "unaccounted": 0,
    "wait": {"recv": 0, "send": 0, "accept": 0, "connect": 0, "poll": 999999900, "lock": 0,
     "sleep": 0, "child": 0, "signal": 0, "file": 0, "uring": 0, "other": 0, "fault": 0}},
   "switches": {"voluntary": 11, "involuntary": 2}, "syscalls": 37, "model": null,
   "started_ns": 0, "ended_ns": null, "count": 1}],
  "calls": [{"tid": 7, "syscall": "recvfrom", "kind": "tcp", "calls": 13, "errors": {"EAGAIN": 2},
   "bytes": 1300, "total_ns": 39, "wait_ns": 0, "runq_ns": 0, "copy_ns": 9, "kernel_ns": 30,
   "copy_estimated": false, "latency_ns": {"p50": 2, "p90": 4, "p99": 5, "p999": 5, "max": 5},
   "in_flight": 0}],
  "descriptors": [{"fd": 3, "kind": "tcp", "local": "127.0.0.1:80", "peer": "127.0.0.1:4000",
   "nonblocking": true, "calls": 13, "bytes_in": 1300, "bytes_out": 0, "wait_ns": 0, "copy_ns": 9,
   "pickup_ns": {"count": 13, "p50": 40, "p99": 90, "max": 95}, "opened": 1,
   "copy_estimated": false, "eagain": 2}],
  "loops": [{"tid": 7, "multiplexer": "epoll_wait", "trigger": "level", "watched": 5,
   "iterations": 17, "empty": 1, "timeouts": 1, "ready": {"mean": 1.5, "max": 3},
   "busy_ns": {"p50": 10, "p99": 20, "max": 30}, "zero_timeout": 0, "unserved": 0,
   "wait_ns": 999999900, "busy_total_ns": 100}],
  "operations": [{"op": "recv", "count": 1, "errors": {}, "bytes": 5,
   "submit_to_complete_ns": {"p50": 1, "p99": 2, "max": 3}}],
  "signals": [{"tid": 7, "signal": "SIGALRM", "count": 1}]}],
 "findings": [{"id": "IO103", "severity": "high", "title": "stalled", "pid": 7, "tid": 7,
  "fd": null, "evidence": {"longest_ns": 30}, "advice": "do", "cost_ns": 30}],
 "quality": {"lost": {"ring": 0, "threads": 0, "calls": 0, "descriptors": 0, "loops": 0,
   "probes": 0}, "unaccounted_ratio": 0.0, "in_flight": 0, "tracer_cpu_ns": 5, "probe_ns": null,
  "unavailable": {}, "kernel_memory_bytes": 1, "notes": []}}
"""


def test_a_report_of_the_first_version_is_read() -> None:
    (process,) = loads(OLD).processes
    (thread,) = process.threads
    assert set(thread.states_ns.wait) == set(WAIT_REASONS)
    assert (thread.states_ns.wait["poll"], thread.states_ns.wait["gil"]) == (999_999_900, 0)
    (call,) = process.calls
    assert call.latency_ns is not None
    assert (call.latency_ns.max, call.latency_ns.histogram) == (5, ())
    assert (call.waits_ns, call.copies_ns, process.pickup_ns) == (None, None, None)


@pytest.mark.parametrize("name", formats.FORMATS)
def test_and_printed_in_any_format(name: str) -> None:
    printed = formats.render(loads(OLD), name)
    # It has no lines of Python, and no requests.
    empty = ("lines", "samples", "requests", "tiers", "upstreams")
    assert "python" in printed or name in ("folded", "speedscope") or name.endswith(empty)


def _recording(path: Path, *parts: bytes) -> Path:
    body = container.header() + b"".join(parts)
    path.write_bytes(body + container.end(hashlib.sha256(body).digest()))
    return path


def test_a_recording_of_the_first_version_is_read_with_its_reasons_to_wait(tmp_path: Path) -> None:
    events = b"".join(
        EVENT.pack(at_ns, value, 7, 7, -1, kind, 35)
        for at_ns, value, kind in ((10, 6, SLEEP), (20, 0, EXIT), (30, 11, SLEEP), (40, 0, EXIT))
    )
    file = _recording(
        tmp_path / "old.iot",
        container.part(container.EVENTS, events),
        container.part(container.NAMES, b'{"calls":{},"opened":[]}'),
        container.part(container.REPORT, json.dumps(json.loads(OLD)).encode()),
    )
    recording = read_recording(file, timeline=True)
    assert recording.report == loads(OLD)
    assert recording.timeline is not None
    states = tracks_of(recording.timeline).threads[0].states
    # 6 and 11 are gil and uring since there is a gil.
    assert [state.name for state in states] == ["wait.sleep", "user", "wait.other"]


def _with(place: tuple[str | int, ...], maker: str) -> dict[str, Any]:
    data = copy.deepcopy(json.loads(OLD))
    data["iotrace"] = maker
    inner = data
    for step in place:
        inner = inner[step]
    inner["later"] = 1
    return data


@pytest.mark.parametrize(
    "place", [(), ("processes", 0), ("processes", 0, "threads", 0, "states_ns", "wait")]
)
def test_what_a_newer_version_has_added_is_said_to_be_of_another_version(
    place: tuple[str | int, ...],
) -> None:
    with pytest.raises(BadReport) as refused:
        from_dict(_with(place, "7.0\x1b"))
    assert refused.value.what == (r"this report was made by another version of iotrace, 7.0\x1b")
    assert "unknown key 'later'; this is " + __version__ in refused.value.why
    assert refused.value.paste == "pip install --upgrade iotrace"


def test_what_this_version_never_wrote_is_no_report() -> None:
    with pytest.raises(BadReport, match="not a report that iotrace can read"):
        from_dict(_with((), __version__))


def test_a_key_that_was_renamed_is_read_by_its_old_name() -> None:
    cause = StallCause("cpu", "", "", None, 2, 200, 200, 0, 0, 0, 150, 0, ())
    stalls = Stalls(2, 200, 200, 0, {}, None, (cause,))
    report = reports.event_loop()
    loop = replace(report.processes[0].loops[0], stalls=stalls)
    report = replace(report, processes=(replace(report.processes[0], loops=(loop,)),))
    data = to_dict(report)
    written = data["processes"][0]["loops"][0]["stalls"]
    written["culprits"] = written.pop("causes")
    assert from_dict(data) == report
    written["causes"] = []
    with pytest.raises(BadReport, match="not a report") as refused:
        from_dict(data)
    assert "unknown key 'culprits'" in str(refused.value.why)
