"""Tasks in made memory: what is told of them, and that nothing in it makes reading go wrong."""

from __future__ import annotations

import struct
import time

import pytest

from iotrace.asyncio_tasks.await_chain import MOST_DEPTH
from iotrace.asyncio_tasks.listing import MOST_TASKS, NoAsyncio
from iotrace.asyncio_tasks.look import NAME_LENGTH
from iotrace.asyncio_tasks.object_layout import described_layout
from iotrace.asyncio_tasks.task_look import Look, Task
from iotrace.pystack.memory import Unreadable
from tests.unit.asyncio_tasks.image import (
    ASYNCIO_DEBUG,
    INTERPRETER,
    THREAD,
    THREAD_ID,
    Image,
    described,
    layout,
)


def _look(image: Image, times: int = 1) -> Look:
    looks = image.looks()
    for _ in range(times):
        left = looks.look()
        while left:
            left = looks.read_part()
    return looks.told()


def _one(image: Image) -> Task:
    image.link_tasks()
    (task,) = _look(image).tasks
    return task


def _waiting(image: Image, name: int) -> int:
    """A task that awaits a future in two coroutines."""
    future = image.future()
    inner = image.coroutine(0x200, image.awaits(future))
    return image.task(name, image.coroutine(0x100, inner), future)


def test_a_task_is_told_with_all_that_it_awaits() -> None:
    image = Image()
    first = _waiting(image, image.text("reader"))
    second = image.task(image.integer(7), image.coroutine(0x300, image.awaits(first)), waiter=first)
    image.awaited_by(first, [second])
    image.link_tasks()
    look = _look(image)
    reader, numbered = look.tasks
    assert (look.incomplete, reader.name, numbered.name) == ((), "reader", "Task-7")
    assert [place.function for place in reader.chain] == ["f100", "f200"]
    assert (reader.awaits, numbered.awaits) == ("_asyncio.Future", "_asyncio.Task")
    assert (reader.awaited_by, reader.awaits_tasks) == ((second,), ())
    assert (numbered.awaited_by, numbered.awaits_tasks) == ((), (first,))
    assert {one.loop for one in look.tasks} == {"_UnixSelectorEventLoop"}
    assert {(one.state, one.thread, one.certain) for one in look.tasks} == {
        ("suspended", THREAD_ID, True)
    }


def test_a_future_between_two_tasks_is_followed() -> None:
    """What asyncio.gather() makes, and several awaiters of one task."""
    image = Image()
    child = _waiting(image, image.text("child"))
    gathering = image.future("_GatheringFuture")
    parent = image.task(
        image.text("parent"), image.coroutine(0x300, image.awaits(gathering)), gathering
    )
    other = image.task(image.text("other"), image.coroutine(0x400, image.awaits(child)), child)
    image.awaited_by(child, [gathering, other])
    image.awaited_by(gathering, [parent])
    image.link_tasks()
    told = {one.name: one for one in _look(image).tasks}
    assert set(told["child"].awaited_by) == {parent, other}
    assert told["parent"].awaits_tasks == (child,)


def test_states_of_tasks() -> None:
    image = Image()
    image.task(image.text("created"), image.coroutine(0x100, 0))
    awaits = image.awaits(image.future())
    image.task(image.text("ready"), image.coroutine(0x100, awaits))
    running = image.task(image.text("running"), image.coroutine(0x100, -1))
    cython = image.object("_cython_3_1.coroutine", 64)
    image.task(image.text("unknown"), cython)
    image.task(image.text("suspended"), cython, image.future())
    image.word(THREAD + ASYNCIO_DEBUG[11], running)
    image.link_tasks()
    told = _look(image).tasks
    assert {one.name: one.state for one in told} == {one.name: one.name for one in told}
    assert {one.name for one in told if not one.certain} == {"running"}
    assert {one.name for one in told if one.unmoved is None} == {"running"}


def test_a_generator_between_coroutines_and_wrappers_are_entered() -> None:
    image = Image()
    innermost = image.coroutine(0x400, image.awaits(image.future()), "async_generator")
    send = image.object("async_generator_asend", 40, {16: innermost})
    anext = image.object("anext_awaitable", 32, {16: send})
    generator = image.coroutine(0x300, anext, "generator")
    image.task(image.text("t"), image.coroutine(0x200, generator), 1)
    assert [place.function for place in _one(image).chain] == ["f200", "f300", "f400"]


def test_a_name_of_a_megabyte_is_cut_and_its_length_told() -> None:
    image = Image()
    _waiting(image, image.text("x" * (1 << 20)))
    task = _one(image)
    assert (task.name, task.name_length) == ("x" * NAME_LENGTH, 1 << 20)


@pytest.mark.parametrize("name", ["\x1b[31m\u202e\n", "\ud800", "名前"])
def test_names_of_every_kind_are_read(name: str) -> None:
    image = Image()
    data = name.encode("utf-32-le", "surrogatepass") if not name.isascii() else name.encode()
    at = image.text("a" * len(name) if name.isascii() else "\u0100" * len(name))
    raw = image.read(at, 40 + 16 + len(data))
    at = image.place(raw[: 40 if name.isascii() else 56] + data)
    _waiting(image, at)
    assert _one(image).name == name.encode("utf-8", "replace").decode().replace("?", "\ufffd")


def test_what_has_no_name_has_a_question_mark() -> None:
    image = Image()
    for name in (0, 1 << 60, image.object("dict", 48), image.type("str")):
        _waiting(image, name)
    image.link_tasks()
    assert {one.name for one in _look(image).tasks} == {"?"}


def test_a_list_in_a_circle_ends_and_says_so() -> None:
    """One that never comes back to its head."""
    image = Image()
    for number in range(3):
        _waiting(image, image.integer(number))
    image.link_tasks()
    node = ASYNCIO_DEBUG[6]
    image.word(image.tasks[2] + node, image.tasks[1] + node)  # the last leads to the second
    image.word(image.tasks[1] + node + 8, image.tasks[2] + node)
    look = _look(image)
    assert look.incomplete == ("a list of tasks changed whenever it was read",)
    assert len(look.tasks) < 3


def test_a_consistent_circle_without_end_is_bounded() -> None:
    """Each node's predecessor is right, and the head is never met."""
    image = Image()
    for number in range(2):
        _waiting(image, image.integer(number))
    node = ASYNCIO_DEBUG[6]
    image.link([task + node for task in image.tasks])
    image.word(THREAD + ASYNCIO_DEBUG[12], image.tasks[0] + node)
    image.word(image.tasks[0] + node + 8, THREAD + ASYNCIO_DEBUG[12])
    look = _look(image)
    assert look.incomplete
    assert image.reads < 2 * MOST_TASKS


def test_coroutines_in_a_circle_end() -> None:
    image = Image()
    one = image.coroutine(0x100, 1)
    image.word(one + 72 + 80, one)
    image.task(image.text("t"), one, 1)
    assert len(_one(image).chain) == MOST_DEPTH


def test_wrappers_and_awaiters_in_a_circle_end() -> None:
    image = Image()
    wrapper = image.object("coroutine_wrapper", 32)
    image.word(wrapper + 16, wrapper)
    task = image.task(image.text("t"), image.coroutine(0x100, wrapper), 1)
    future = image.future()
    image.awaited_by(future, [future, future])
    image.awaited_by(task, [future])
    assert _one(image).awaited_by == ()
    assert image.reads < 500


def test_a_task_that_changes_whenever_it_is_read_is_uncertain() -> None:
    image = Image()
    task = _waiting(image, image.text("busy"))
    _waiting(image, image.text("still"))
    image.link_tasks()
    read = image.read
    coroutine = struct.unpack("<Q", read(task + 128, 8))[0]
    beat = iter(range(1 << 20))

    def changing(address: int, size: int) -> bytes:
        image.word(coroutine + 72 + 56, 0x100 + next(beat))  # its next instruction
        return read(address, size)

    image.read = changing  # type: ignore[method-assign]
    told = {one.name: one for one in _look(image).tasks}
    assert (told["busy"].certain, told["busy"].unmoved) == (False, None)
    assert told["still"].certain


def test_what_has_moved_since_is_read_anew_and_dated() -> None:
    image = Image()
    moving = _waiting(image, image.text("moving"))
    _waiting(image, image.text("still"))
    ends = _waiting(image, image.text("ends"))
    image.link_tasks()
    looks = image.looks()
    looks.look()
    between_ns = time.monotonic_ns()
    future = image.future()
    image.word(moving + 120, future)
    image.word(moving + 128, image.coroutine(0x500, image.awaits(future)))
    image.tasks.remove(ends)
    image.link_tasks()
    looks.look()
    look = looks.told()
    told = {one.name: one for one in look.tasks}
    assert set(told) == {"moving", "still"}
    assert [place.function for place in told["moving"].chain] == ["f500"]
    moved, stayed = told["moving"].unmoved, told["still"].unmoved
    assert moved is not None
    assert stayed is not None
    assert stayed.earliest_ns is None
    assert stayed.latest_ns <= between_ns
    assert moved.earliest_ns is not None
    assert moved.earliest_ns <= between_ns <= moved.latest_ns
    assert (look.looks, look.end_ns >= look.begin_ns >= between_ns) == (2, True)


def test_memory_that_is_no_task_any_more_is_left_out() -> None:
    image = Image()
    _waiting(image, image.text("task"))
    gone = _waiting(image, image.text("gone"))
    image.word(gone + 16, 0)
    image.link_tasks()
    assert [one.name for one in _look(image).tasks] == ["task"]


def test_without_asyncio_there_are_no_tasks() -> None:
    image = Image()
    image.word(INTERPRETER + 7688, image.object("dict", 48, {32: image.place(bytes(64))}))
    with pytest.raises(NoAsyncio):
        _look(image)


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, 1 << 20), (1, 168), (1, 0), (5, 8), (6, 1 << 40), (8, 225864), (12, 936), (11, 1 << 63)],
)
def test_what_asyncio_cannot_say_of_itself_is_refused(place: int, value: int) -> None:
    words = [*ASYNCIO_DEBUG[:place], value, *ASYNCIO_DEBUG[place + 1 :]]
    with pytest.raises(Unreadable):
        described_layout(described(), struct.pack("<13Q", *words))
    with pytest.raises(Unreadable):
        described_layout(described(), b"")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("interpreter_frame.localsplus", 8192),
        ("interpreter_frame.stackpointer", 80),
        ("gen_object.gi_frame_state", 73),
        ("set_object.table", 1 << 16),
        ("llist_node.prev", 16),
    ],
)
def test_offsets_that_cannot_be_are_refused(member: str, value: int) -> None:
    assert layout()
    with pytest.raises(Unreadable):
        described_layout(described({member: value}), struct.pack("<13Q", *ASYNCIO_DEBUG))
