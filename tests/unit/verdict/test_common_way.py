# SPDX-License-Identifier: Apache-2.0
"""The way to what computes where no function and no code of the program's own stands out."""

from __future__ import annotations

from iotrace.report.stacks import CpuSample, Frame
from iotrace.verdict.common_way import common_way
from iotrace.verdict.told_lines import texts_of
from tests.unit.verdict.made import MS, PID

_SITE = "/srv/lib/site-packages/django"
_LOOP = Frame("ForNode.render", f"{_SITE}/template/defaulttags.py", 188)
_NODE = Frame("Node.render", f"{_SITE}/template/base.py", 966)
_WIDGET = Frame("Widget._render", f"{_SITE}/forms/widgets.py", 286)
_FIELD = Frame("BoundField.as_widget", f"{_SITE}/forms/boundfield.py", 107)
_OTHER = Frame("Model.from_db", f"{_SITE}/db/models/base.py", 488)
_VIEW = Frame("page", "/srv/views.py", 12)
_DEEP = (_LOOP, _NODE, _LOOP, _NODE, _WIDGET, _FIELD)


def _row(samples: int, *stack: Frame) -> CpuSample:
    return CpuSample(PID, samples, samples * 5 * MS, 0, 0, 0, 0, stack)


def _told(*rows: CpuSample) -> tuple[str, ...]:
    return texts_of(common_way(rows))


def test_functions_that_call_themselves_by_some_way_tell_nothing() -> None:
    assert _told(_row(90, *_DEEP), _row(10, _OTHER, _FIELD)) == (
        "90 % of it by way of django/forms/boundfield.py:107 BoundField.as_widget > "
        "django/forms/widgets.py:286 Widget._render",
    )


def test_ways_of_few_samples_and_ways_from_the_program_are_not_told() -> None:
    assert _told(_row(50, *_DEEP), _row(50, _OTHER)) == ()
    assert _told(_row(90, *_DEEP, _VIEW), _row(10, _OTHER)) == ()
    assert _told() == ()
