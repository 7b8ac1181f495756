"""The verdict is a pure function of the report: a recording is judged as its trace was."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from iotrace import __version__
from iotrace.output import formats
from iotrace.recording.recording_reader import read_recording
from iotrace.recording.recording_writer import DEFAULT_MAX_BYTES, RecordingWriter
from iotrace.report.codec import BadReport, from_dict, loads, to_dict
from iotrace.report.model import Process, Report
from iotrace.verdict.judge import judge, judge_recorded
from tests.unit import reports
from tests.unit.light import lit_report
from tests.unit.random_reports import random_report
from tests.unit.report.test_older_files import OLD
from tests.unit.verdict.made import PID, S, blocking, descriptor, judged, listener
from tests.unit.verdict.test_rules import MADE

_FILES = Path(__file__).parent / "reports"
_LARGEST = 997
"""Of a random report's figures: what rules make of them is to fit in 64 bits."""
_REPORTS = {
    "event loop": reports.event_loop,
    "light detail": lambda: lit_report(reports.event_loop()),
    "thread pool": lambda: reports.thread_pool(5),
    "prefork": lambda: reports.prefork(3),
    "idle": reports.idle,
    "hostile": reports.hostile,
    **{f"random {seed}": lambda seed=seed: random_report(seed, _LARGEST) for seed in range(97)},
}


@pytest.mark.parametrize("make", _REPORTS.values(), ids=_REPORTS)
def test_a_recording_is_judged_as_its_trace_was(make: Any, tmp_path: Path) -> None:
    traced = judge(make())
    writer = RecordingWriter(tmp_path / "x.iot", None, DEFAULT_MAX_BYTES)
    writer.finish(traced)
    recorded = read_recording(tmp_path / "x.iot").report
    assert judge(recorded) == traced


def test_what_was_judged_before_does_not_show_in_the_verdict() -> None:
    (wrong,) = MADE["IO103"](True)
    once = judged(wrong)
    healthy = MADE["IO103"](False)
    assert [one.id for one in once.findings] == ["IO103"]
    repaired = replace(
        once,
        processes=tuple(
            replace(one, loops=other.loops)
            for one, other in zip(once.processes, healthy, strict=True)
        ),
    )
    assert judge(repaired).findings == ()


def test_a_rule_is_tested_on_a_json_file() -> None:
    """What ``iotrace attach -f json`` printed of a server whose CPU quota is a fifth of a CPU."""
    report = judge(loads((_FILES / "throttled.json").read_text()))
    (throttled,) = report.findings
    (server,) = report.processes
    assert (throttled.id, throttled.pid) == ("IO121", server.pid)
    assert server.limits is not None
    assert throttled.cost_ns == server.limits.throttled_ns == 967_712_333


def _recorded(*processes: Process) -> Report:
    """By a version whose rules found nothing."""
    return replace(judged(*processes), findings=(), iotrace="0.0.9")


def test_a_recording_is_judged_by_the_rules_of_this_version() -> None:
    (report,) = judge_recorded(_recorded(*MADE["IO103"](True)))
    assert [one.id for one in report.findings] == ["IO103"]
    assert (
        f"Judged by the rules of iotrace {__version__}; recorded by version 0.0.9.\n"
        in formats.render(report)
    )


def test_a_file_that_lacks_what_the_rules_need_keeps_its_verdict() -> None:
    old = loads(OLD)
    (report,) = judge_recorded(old)
    assert report == replace(old, judged_by="0.0.9")
    assert (
        "Judged by the rules of iotrace 0.0.9; recorded by version 0.0.9, which did not keep all "
        "that later rules need." in " ".join(formats.render(report).split())
    )


def test_two_recordings_are_judged_alike() -> None:
    new, old = _recorded(*MADE["IO103"](True)), loads(OLD)
    assert [one.judged_by for one in judge_recorded(new, new)] == [__version__] * 2
    kept = judge_recorded(new, old)
    assert [one.judged_by for one in kept] == ["0.0.9"] * 2
    assert [one.findings for one in kept] == [new.findings, old.findings]


def test_the_head_of_a_trace_says_nothing_of_rules() -> None:
    assert "Judged by" not in formats.render(judged(blocking()))


_FIGURES = (0, 1, -1, -3, 997, 2**40, -(2**40), None, 1.5, -2.5, 1.7e308)
_TEXTS = ("", "tcp", "pipe", "recvfrom", "accept4", "select", "epoll_wait", "futex", "x")


def _damaged(text: str, seed: int) -> Report | None:
    """The report with some figures and names replaced at random; None: that is no report."""
    dice = random.Random(seed)
    data = json.loads(text)
    places = list(_places(data["processes"]))
    for holder, key in dice.sample(places, min(len(places), dice.choice((1, 3, 9)))):
        old = holder[key]
        if isinstance(old, list) and old:
            del old[dice.randrange(len(old))]
        elif isinstance(old, str):
            holder[key] = dice.choice(_TEXTS)
        elif not isinstance(old, bool | dict | list):
            holder[key] = dice.choice(_FIGURES)
    try:
        return from_dict(data)
    except BadReport:
        return None


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    for key, item in data.items() if isinstance(data, dict) else enumerate(data):
        if isinstance(item, dict | list):
            yield from _places(item)
        if isinstance(data, dict):
            yield data, key


@pytest.mark.parametrize("rule", MADE)
@pytest.mark.parametrize("detail", ["full", "light"])
def test_every_report_can_be_judged(rule: str, detail: str) -> None:
    """A file is from anywhere: figures that no trace gives lead to no error."""
    whole = json.dumps(to_dict(replace(judged(*MADE[rule](True)), detail=detail)))
    damaged = list(islice(filter(None, (_damaged(whole, seed) for seed in range(97))), 4))
    assert len(damaged) == 4
    for one in damaged:
        assert judge(judge(one)) == judge(one)


def _family(count: int) -> tuple[Process, ...]:
    """Each process is the parent of the next one."""
    one = blocking()
    (thread,) = one.threads
    return tuple(
        replace(
            one,
            pid=PID + place,
            parent=PID + place - 1,
            threads=(replace(thread, tid=PID + place),),
            calls=tuple(replace(call, tid=PID + place) for call in one.calls),
        )
        for place in range(count)
    )


def _event_loops(count: int) -> tuple[Process, ...]:
    """Threads of one process; each loop spins and stalls."""
    (one,) = MADE["IO103"](True)
    tids = range(PID, PID + count)
    return (
        replace(
            one,
            threads=tuple(replace(row, tid=tid) for tid in tids for row in one.threads),
            calls=tuple(replace(row, tid=tid) for tid in tids for row in one.calls),
            loops=tuple(
                replace(row, tid=tid, iterations=90_001, unserved=90_000)
                for tid in tids
                for row in one.loops
            ),
        ),
    )


def _connections(count: int) -> tuple[Process, ...]:
    """Connections of a thread that keeps others waiting."""
    rows = tuple(descriptor(fd, nonblocking=False, wait=9 * S) for fd in range(7, 7 + count))
    return (replace(blocking(), descriptors=rows, sockets=listener(pending=3)),)


@pytest.mark.parametrize("make", [_family, _event_loops, _connections])
def test_judging_takes_time_in_proportion_to_the_report(make: Any) -> None:
    """A file is from anywhere: no report takes time that grows with the square of its size."""
    few, many = (_judging_s(make(count)) for count in (100, 800))
    assert many < 4 * 8 * few


def _judging_s(processes: tuple[Process, ...]) -> float:
    """CPU time, the least of three tries."""
    report = reports.report(*processes)
    tries = []
    for _ in range(3):
        began = time.process_time()
        judge(report)
        tries.append(time.process_time() - began)
    return min(tries)
