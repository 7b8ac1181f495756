"""Each cause of a stall in a report can be read from a file, and has words."""

from __future__ import annotations

from iotrace.engine.constants import Cause
from iotrace.output.tables import loops_table
from iotrace.report.model import Loop, Stalls
from iotrace.report.shape import WORDS
from iotrace.report.stacks import Frame, StallCause
from iotrace.report_builder.stack_rows import IN_A_POLL
from iotrace.verdict.python_lines import stalled_lines
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.verdict.made import MS, event_loop

_CAUSES = (*(cause.name.lower() for cause in Cause), IN_A_POLL)


def _stalled(cause: str) -> Loop:
    stack = (Frame("look_up", "/srv/orders.py", 7),)
    stall_cause = StallCause(cause, "", "", None, 2, 200 * MS, 0, 0, 0, 0, 100 * MS, 0, stack)
    stalls = Stalls(2, 200 * MS, 0, 0, dict.fromkeys(WAIT_REASONS, 0), None, (stall_cause,))
    (loop,) = event_loop(stalls=stalls).loops
    return loop


def test_each_cause_is_a_word_of_reports() -> None:
    assert sorted(WORDS[StallCause, "cause"]) == sorted(_CAUSES)


def test_each_cause_is_told_in_findings_and_tables() -> None:
    for cause in _CAUSES:
        loop = _stalled(cause)
        assert loop.stalls is not None
        (line,) = stalled_lines(event_loop(), loop)
        assert line.text.startswith("orders.py:7 look_up -> "), cause
        assert "orders.py:7 look_up" in loops_table._stalled(1, loop.stalls), cause
