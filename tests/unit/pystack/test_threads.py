"""Which thread state is whose: by the stack, for ids lie in containers and after forks."""

from __future__ import annotations

from iotrace.pystack.runtime import ThreadState
from iotrace.pystack.walk import Area, thread_of

_FIRST = ThreadState(1, 100, 0x9000, 1)
_SECOND = ThreadState(1, 200, 0x1F00, 2)
_THIRD = ThreadState(1, 300, 0x2F00, 3)
_STATES = (_THIRD, _SECOND, _FIRST)  # the newest first, as CPython lists them
_AREAS = (
    Area(0x1000, 0x2000, ""),
    Area(0x2000, 0x3000, ""),
    Area(0x9000, 0x9800, ""),
    Area(0xF000, 0xFF00, "[stack]"),
)


def test_a_thread_is_found_in_the_area_of_its_stack() -> None:
    assert thread_of(_STATES, 4711, False, 0x1800, _AREAS) == (_SECOND,)
    assert thread_of(_STATES, 4711, False, 0x2100, _AREAS) == (_THIRD,)


def test_the_first_thread_is_the_oldest() -> None:
    assert thread_of(_STATES, 4711, True, 0xF800, _AREAS) == (_FIRST,)


def test_an_id_of_another_namespace_does_not_mislead() -> None:
    assert thread_of(_STATES, 2, False, 0x2100, _AREAS) == (_THIRD,)


def test_two_stacks_in_one_area_are_told_apart() -> None:
    areas = (Area(0x1000, 0x3000, ""),)
    assert thread_of(_STATES, 4711, False, 0x1800, areas) == (_SECOND,)
    assert thread_of(_STATES, 4711, False, 0x2100, areas) == (_THIRD,)


def test_a_stack_of_its_own_leaves_only_the_id() -> None:
    assert thread_of(_STATES, 3, False, 0x5000, _AREAS) == (_THIRD,)
    assert thread_of(_STATES, 9, False, 0x5000, _AREAS) == ()


def test_the_forking_thread_is_the_childs_first_and_keeps_its_stack() -> None:
    assert thread_of((_SECOND,), 4711, True, 0x1800, _AREAS) == (_SECOND,)


def test_a_thread_has_a_state_in_each_interpreter() -> None:
    inner = ThreadState(2, 400, 0x1F00, 2)
    assert thread_of((inner, *_STATES), 4711, False, 0x1800, _AREAS) == (inner, _SECOND)
