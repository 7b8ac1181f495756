"""docs/reading-a-report.md explains every state, every reason and every column."""

from __future__ import annotations

import dataclasses
from types import ModuleType

import pytest

from iotrace.output.tables import (
    calls_table,
    descriptors_table,
    loops_table,
    operations_table,
    processes_table,
    requests_table,
    signals_table,
    threads_table,
    upstreams_table,
)
from iotrace.report.model import States
from iotrace.snapshot.histogram import BUCKETS, bounds_ns
from iotrace.vocabulary.waits import WAIT_REASONS
from tests.unit.project import reading_page
from tests.unit.project.markdown import names, table

_PAGE = "docs/reading-a-report.md"
_SECTIONS = {
    "Requests": requests_table,
    "Upstreams": upstreams_table,
    "Threads": threads_table,
    "Event loops": loops_table,
    "System calls": calls_table,
    "Descriptors": descriptors_table,
    "Asynchronous operations": operations_table,
    "Signals": signals_table,
    "Processes": processes_table,
}


def test_every_state_is_explained() -> None:
    states = [names(state)[0] for state, _ in table(_PAGE, "state", "the thread was")]
    assert sorted(states) == sorted(field.name for field in dataclasses.fields(States))


def test_every_reason_is_explained() -> None:
    reasons = [names(reason)[0] for reason, _ in table(_PAGE, "reason", "asleep in")]
    assert tuple(reasons) == WAIT_REASONS, "run: make docs"


def test_the_tables_are_those_of_the_program() -> None:
    page = reading_page.PAGE.read_text()
    assert page == reading_page.updated(page), "run: make docs"


@pytest.mark.parametrize("section", _SECTIONS)
def test_every_column_is_explained(section: str) -> None:
    module: ModuleType = _SECTIONS[section]
    columns = [names(column)[0] for column, _ in table(_PAGE, "column", "meaning", under=section)]
    assert columns == list(module.ORDERS), "run: make docs"


@pytest.mark.parametrize(("sub_bits", "promised"), [(3, 0.07), (2, 0.13)])
def test_percentiles_are_as_good_as_promised(sub_bits: int, promised: float) -> None:
    """The middle of a bucket against what may lie at its edges."""
    for bucket in range(1, BUCKETS >> (3 - sub_bits)):
        low, high = bounds_ns(bucket, sub_bits)
        assert (high - low) / 2 / low <= promised
