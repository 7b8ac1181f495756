"""Which thread state is whose: by the stack, for ids lie in containers and after forks."""

from __future__ import annotations

from iotrace.pystack.memory import Unreadable
from iotrace.pystack.offsets import TABLES
from iotrace.pystack.runtime import ThreadState
from iotrace.pystack.walk import Area, running_on, thread_of

_FIRST = ThreadState(1, 100, 0x9000, 1)
_SECOND = ThreadState(1, 200, 0x1F00, 2)
_THIRD = ThreadState(1, 300, 0x2F00, 3)
_STATES = (_THIRD, _SECOND, _FIRST)  # the newest first, as CPython lists them
_AREAS = (
    Area(0x1000, 0x2000),
    Area(0x2000, 0x3000),
    Area(0x9000, 0x9800),
    Area(0xF000, 0xFF00, True),
)


def test_a_thread_is_found_in_the_area_of_its_stack() -> None:
    assert thread_of(_STATES, 4711, False, 0x1800, _AREAS) == (_SECOND,)
    assert thread_of(_STATES, 4711, False, 0x2100, _AREAS) == (_THIRD,)


def test_the_first_thread_is_the_oldest() -> None:
    assert thread_of(_STATES, 4711, True, 0xF800, _AREAS) == (_FIRST,)


def test_an_id_of_another_namespace_does_not_mislead() -> None:
    assert thread_of(_STATES, 2, False, 0x2100, _AREAS) == (_THIRD,)


def test_two_stacks_in_one_area_are_told_apart() -> None:
    areas = (Area(0x1000, 0x3000),)
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


class _Frames:
    """Where the states' pointers into C stacks lead."""

    def __init__(self, **places: int) -> None:
        at = TABLES[3, 12].thread_frame
        states = {"first": _FIRST, "second": _SECOND, "third": _THIRD}
        self._words = {states[name].address + at: place for name, place in places.items()}

    def read(self, address: int, size: int) -> bytes:
        if address not in self._words:
            raise Unreadable("nothing")
        return self._words[address].to_bytes(size, "little")


def _running_on(frames: _Frames, sp: int, top: int) -> tuple[ThreadState, ...]:
    return running_on(frames, TABLES[3, 12], _STATES, sp, top)


def test_of_two_states_on_one_stack_the_inner_one_runs() -> None:
    frames = _Frames(first=0x1E00, second=0x1900, third=0x2E00)
    assert _running_on(frames, 0x1800, 0x2000) == (_SECOND,)
    assert _running_on(frames, 0x1A00, 0x2000) == (_FIRST,)


def test_a_state_on_another_stack_is_not_the_threads() -> None:
    assert _running_on(_Frames(third=0x2E00), 0x1800, 0x2000) == ()
    # Nor where two stacks share an area: beyond the own thread's record another stack begins.
    assert _running_on(_Frames(third=0x2E00), 0x1800, 0x3000) == ()
