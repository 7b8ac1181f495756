# SPDX-License-Identifier: Apache-2.0
"""A reader: takes questions one by one, and answers them, whatever it finds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NoReturn

from iotrace.errors import IotraceError
from iotrace.target_reader import programs, threads
from iotrace.target_reader.messages import (
    ANSWERED,
    FAILED,
    REFUSED,
    TooLong,
    packed,
    receive,
    send,
)

QUESTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (threads.activities, threads.kinds, programs.program, programs.python)
}
"""Those of the beginning; others come when one of them is asked, for their modules cost 50 ms."""
_WHY_LENGTH = 200


def load_rest() -> None:
    """Import what answers most other questions."""
    from iotrace.target_reader import limits, opened, stacks

    for function in (
        limits.cpu_limits, limits.memory_limit,
        opened.descriptors, opened.sockets, opened.tcp_states, opened.unread_pipes,
        stacks.interpreter, stacks.gils, stacks.learn, stacks.name, stacks.walk, stacks.forget,
        stacks.objects_at,
    ):  # fmt: skip
        QUESTIONS[function.__name__] = function


def _load_tasks() -> None:
    """What is asked of asyncio alone."""
    from iotrace.target_reader import task_offsets, tasks

    for function in (
        task_offsets.task_offsets, tasks.task_look, tasks.more_tasks, tasks.tasks,
    ):  # fmt: skip
        QUESTIONS[function.__name__] = function


def _load(question: str) -> None:
    """Import what answers it: asyncio's last, which few ask for."""
    load_rest()
    if question not in QUESTIONS:
        _load_tasks()


def serve(questions: int, answers: int) -> NoReturn:
    """Answer until there are no more questions."""
    session: dict[int, Any] = {}
    while True:
        try:
            name, arguments = receive(questions)
        except EOFError:
            os._exit(0)
        try:
            if name not in QUESTIONS:
                _load(name)
            value = ANSWERED, QUESTIONS[name](session, *arguments)
        except IotraceError as error:
            value = REFUSED, (type(error).__name__, error.what, error.why, error.paste)
        except Exception as error:
            value = FAILED, _told(error)
            if isinstance(error, MemoryError):
                session = {}
        try:
            message = packed((*value, time.process_time_ns(), os.getpid()))
        except (TooLong, ValueError, MemoryError) as error:
            message = packed((FAILED, _told(error), time.process_time_ns(), os.getpid()))
        send(answers, message)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_WHY_LENGTH]
