"""The lines of findings that are about CPU time: places by samples, with what they called."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.model import Process
from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.python_lines import busy_lines, faulting_lines
from tests.unit.verdict.made import MS, PID, S, process, thread

_WEATHER = Frame("weather", "/srv/server.py", 13, suspends=True)
_LOADS = Frame("create_default_context", "/usr/lib/python3.11/ssl.py", 713)


def _sampled(*rows: CpuSample) -> Process:
    return replace(process([thread(user=10 * S)]), cpu_samples=rows)


def _row(samples: int, own: int, *stack: Frame, tid: int = PID, faults: int = 0) -> CpuSample:
    return CpuSample(tid, samples, samples * 5 * MS, 0, 0, faults, own, stack)


def test_a_place_names_what_it_called() -> None:
    one = _sampled(_row(150, 1, _LOADS, _WEATHER), _row(50, 0, _WEATHER), _row(1, 0, _LOADS))
    assert busy_lines(one) == (
        "server.py:13 weather -> ssl.py:713 create_default_context: 74.6 % of its CPU time, "
        "about 750 ms",
        "server.py:13 weather: 24.9 % of its CPU time, about 250 ms",
    )


def test_lines_of_one_thread_are_of_its_own_samples() -> None:
    one = _sampled(_row(500, 0, _LOADS), _row(40, 0, _WEATHER, tid=701))
    assert busy_lines(one, 701) == ("server.py:13 weather: 100 % of its CPU time, about 200 ms",)


def test_a_few_samples_say_nothing() -> None:
    assert busy_lines(_sampled(_row(7, 0, _WEATHER))) == ()


def test_page_faults_are_counted_by_place() -> None:
    one = _sampled(_row(0, 0, _WEATHER, faults=1_009))
    assert faulting_lines(one) == ("server.py:13 weather: 1,009 major page faults",)
