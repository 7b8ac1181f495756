"""Which reports make a flight recorder write."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest

from iotrace.flight.triggers import Condition, Triggers, parse_condition
from iotrace.report.model import Quantiles, Report
from tests.unit import reports
from tests.unit.request_rows import LISTENER

MS = 1_000_000


def _condition(words: str) -> Condition:
    return parse_condition(words, lambda text: int(text.removesuffix("ms")) * MS)


def _loop_of(longest_ns: int) -> Report:
    """``max`` is of the whole trace, so it does not count."""
    report = reports.event_loop()
    process = report.processes[0]
    busy = Quantiles(MS, MS, 999 * MS, ((0, MS, 500), (longest_ns - MS, longest_ns, 1)))
    loops = (replace(process.loops[0], busy_ns=busy), *process.loops[1:])
    return replace(report, processes=(replace(process, loops=loops),))


def test_a_stall_is_an_iteration_of_this_interval() -> None:
    condition = _condition("stall>200ms")
    assert "an iteration of thread" in condition.fired(_loop_of(201 * MS))
    assert condition.fired(_loop_of(200 * MS)) == ""
    assert condition.fired(reports.report()) == ""


def test_requests_that_are_slow_or_owed() -> None:
    slow = replace(LISTENER, latency_ns=replace(LISTENER.latency_ns, p99=501 * MS))
    owed = replace(LISTENER, latency_ns=None, unanswered=1, oldest_unanswered_ns=501 * MS)
    for words, row in (("p99>500ms", slow), ("hang>500ms", owed)):
        condition = _condition(words)
        fired = condition.fired(reports.report(reports.process(requests=(row,))))
        assert LISTENER.listener in fired
        assert condition.fired(reports.report(reports.process(requests=(LISTENER,)))) == ""


def test_a_finding_by_its_rule() -> None:
    report = reports.event_loop()
    finding = report.findings[0]
    assert finding.title in _condition(f"finding:{finding.id}").fired(report)
    assert _condition("finding:IO999").fired(report) == ""


@pytest.mark.parametrize(
    "words", ["", "stall", "stall>", "p99=3", "finding:103", "SIGUSR2", "x>1ms"]
)
def test_what_is_no_condition(words: str) -> None:
    with pytest.raises(ValueError):
        _condition(words)


def test_the_signal_asks_once_and_ends_nothing_where_it_was_asked_for() -> None:
    triggers = Triggers((_condition("SIGUSR1"), _condition("stall>200ms")))
    assert not triggers.on_signal(signal.SIGUSR1, signal.SIGUSR1)
    assert triggers.on_signal(signal.SIGTERM, signal.SIGUSR1)
    assert triggers.fired(reports.report()) == "SIGUSR1"
    assert triggers.fired(reports.report()) == ""
    assert triggers.fired(_loop_of(300 * MS)).startswith("stall>200ms: ")
    assert Triggers(()).on_signal(signal.SIGUSR1, signal.SIGUSR1)
