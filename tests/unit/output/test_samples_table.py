"""The table of places where threads were on a CPU, and how samples become its rows."""

from __future__ import annotations

from dataclasses import replace

from iotrace.engine.constants import SAMPLES_HZ, Sample
from iotrace.output.blocks import Table
from iotrace.output.tables import samples_table
from iotrace.pystack.code_objects import Frame as RawFrame
from iotrace.report.stacks import CpuSample
from iotrace.report_builder.stack_rows import sample_rows
from iotrace.snapshot.stack_totals import SampleTotals
from tests.unit import reports

_TID = 701
_WEATHER = RawFrame("weather", "/srv/server.py", 13, suspends=True)
_LOADS = RawFrame("create_default_context", "/usr/lib/python3.11/ssl.py", 713, suspends=False)
_GUNICORN = RawFrame("<module>", "/srv/venv/bin/gunicorn", 8, suspends=False)
_RUN = RawFrame("run", "/srv/venv/lib/python3.11/site-packages/gunicorn/app.py", 80, suspends=False)
_STACKS = {1: (_LOADS, _WEATHER, _GUNICORN), 2: (_WEATHER, _GUNICORN), 3: (_LOADS, _RUN, _GUNICORN)}


def _totals(count: int, collecting: int = 0) -> SampleTotals:
    return SampleTotals(count, 1, collecting, _TID)


def _rows() -> tuple[CpuSample, ...]:
    return sample_rows(
        [
            (1, Sample.CPU, _totals(597, 199)),
            (2, Sample.CPU, _totals(199)),
            (2, Sample.FAULT, _totals(41)),
            (3, Sample.CPU, _totals(7)),
            (4, Sample.CPU, _totals(3)),
        ],
        _STACKS,
    )


def test_rows_are_places_with_what_is_under_them() -> None:
    inside, plain, library, unknown = _rows()
    assert (inside.own_stack[0].function, inside.stack[0].function) == (
        "weather",
        "create_default_context",
    )
    assert inside.cpu_ns == 597 * 10**9 // SAMPLES_HZ
    assert inside.gc_ns == inside.cpu_ns // 3
    assert (plain.samples, plain.faults, plain.own) == (199, 41, 0)
    assert library.own_stack[0].function == "run", "a console script is not the program's own"
    assert unknown.stack == ()


def test_the_table() -> None:
    one = replace(reports.process(), cpu_samples=_rows())
    table = samples_table.table(one, None)
    assert isinstance(table, Table)
    cells = {column.title: list(column.cells) for column in table.columns}
    assert cells["in"][0] == ("ssl.py:713 create_default_context",)
    assert cells["samples"] == [("597",), ("199",), ("7",), ("3",)]
    assert cells["faults"] == [("-",), ("41",), ("-",), ("-",)]


def test_rows_beyond_the_most_are_one() -> None:
    stacks = {
        key: (RawFrame(f"f{key}", "/srv/server.py", key, suspends=False),) for key in range(500)
    }
    rows = sample_rows([(key, Sample.CPU, _totals(2)) for key in stacks], stacks)
    assert len(rows) == 101
    assert sum(row.samples for row in rows) == 1000
    assert rows[-1].stack == ()
