# SPDX-License-Identifier: Apache-2.0
"""The readers from outside: one that answers, and those that never came back.

A reader that is late is killed and given up. The kernel may let it die only when the process that
it looked at lets go of it, so nobody waits for that: its lane, two pipes, is used again once it is
dead.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import struct
import termios
import time
from typing import Any

from iotrace.errors import NoSuchProcess, PermissionDenied
from iotrace.procfs.stat import read_stat
from iotrace.target_reader.messages import Exchange, TooLong, packed
from iotrace.target_reader.spawner import BORN, COMMAND, EVENT, KILL, QUIT, START, Spawner

LANES = 6
PATIENCE_NS = 1_000_000_000
"""A reader that sleeps by then waits for the process that it looks at."""
MOST_PATIENCE_NS = 5_000_000_000
"""One that computes, or gets no CPU, is waited for until then."""
_BIRTH_NS = 10_000_000_000
_GLANCES, _GLANCE_S = 5, 0.01
_READY = "R"
_PIPE_BYTES = 1 << 16


class Late(Exception):
    """There is no answer; the text says why. ``lane``: that its reader blocks, None: no lane."""

    def __init__(self, why: str, lane: int | None = None) -> None:
        super().__init__(why)
        self.lane = lane


class _Lane:
    """The pipes of a reader, and the reader. Only our ends of them do not block."""

    def __init__(self) -> None:
        self.its_questions, self.questions = os.pipe()
        self.answers, self.its_answers = os.pipe()
        for ours in (self.questions, self.answers):
            os.set_blocking(ours, False)
        self.pid: int | None = None
        self.given_up = False

    def clear(self) -> None:
        """Its reader is dead: what it left in the pipes is dropped."""
        self.pid, self.given_up = None, False
        with contextlib.suppress(BlockingIOError):
            while os.read(self.answers, _PIPE_BYTES):
                pass
        # Ours to read, too, so that what nobody has read can be.
        raw = fcntl.ioctl(self.its_questions, termios.FIONREAD, bytes(4))
        left = int(struct.unpack("=i", raw)[0])
        if left:
            os.read(self.its_questions, left)

    def close(self) -> None:
        for pipe in (self.questions, self.answers, self.its_questions):
            os.close(pipe)


class Pool:
    """Readers, one after the other. To be made where there are neither threads nor probes yet."""

    def __init__(self) -> None:
        """Fork the process that forks them, and have it fork the first.

        It imports what it needs while the caller goes on.
        """
        self._lanes = [_Lane() for _ in range(LANES)]
        commands, self._commands = os.pipe()
        self._events, events = os.pipe()
        ours = os.getpid()
        self._spawner = os.fork()
        if self._spawner == 0:
            with contextlib.suppress(BaseException):
                gc.disable()
                its = [(lane.its_questions, lane.its_answers) for lane in self._lanes]
                Spawner(its, commands, events).work(ours)
            os._exit(1)
        os.close(commands)
        os.close(events)
        os.set_blocking(self._events, False)
        for lane in self._lanes:
            os.close(lane.its_answers)
        self._current: int | None = None
        self._closed = False
        self._start()

    def ask(self, question: Any) -> Any:
        """The answer to a question. Raises Late, and TooLong for a question that is."""
        message = packed(question)
        self._hear()
        if self._current is None:
            self._start()
        number = self._current
        if number is None:
            raise Late(f"{LANES} readers wait for processes that do not answer")
        lane = self._lanes[number]
        exchange = Exchange(lane.questions, lane.answers, message)
        try:
            answer = self._answer(number, lane, exchange)
        except BaseException as error:
            self._give_up(number)
            if isinstance(error, TooLong | ValueError | EOFError | TypeError):
                raise Late(f"it was answered with {error}", number) from error
            raise
        return answer

    def blocked(self, number: int) -> bool:
        """Whether the reader in a lane that was given up has not died yet."""
        with contextlib.suppress(Late):
            self._hear()
        return self._lanes[number].given_up

    def close(self) -> None:
        """No reader answers any more; one that hangs is not waited for. Again: nothing."""
        if self._closed:
            return
        self._closed = True
        self._command(QUIT, 0)
        os.close(self._commands)
        os.close(self._events)
        for lane in self._lanes:
            lane.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._spawner, 0)

    def _answer(self, number: int, lane: _Lane, exchange: Exchange) -> Any:
        begin_ns = time.monotonic_ns()
        until_ns = begin_ns + PATIENCE_NS if lane.pid else begin_ns + _BIRTH_NS
        while True:
            was_born = lane.pid is not None
            answer = exchange.proceed(until_ns, self._events)
            if answer is not None:
                return answer
            self._hear()
            if self._current != number:
                raise Late("its reader was killed", number)
            now_ns = time.monotonic_ns()
            if not was_born and lane.pid:
                begin_ns, until_ns = now_ns, now_ns + PATIENCE_NS
            elif now_ns >= until_ns:
                if now_ns - begin_ns >= MOST_PATIENCE_NS or not _works(lane.pid):
                    raise Late(f"no answer in {(now_ns - begin_ns) / 1e9:.0f} s", number)
                until_ns = now_ns + PATIENCE_NS // 4

    def _start(self) -> None:
        free = (n for n, lane in enumerate(self._lanes) if lane.pid is None and not lane.given_up)
        self._current = next(free, None)
        if self._current is not None:
            self._command(START, self._current)

    def _give_up(self, number: int) -> None:
        if self._current == number:
            self._current = None
            self._lanes[number].given_up = True
            self._command(KILL, number)

    def _command(self, action: bytes, number: int) -> None:
        with contextlib.suppress(BrokenPipeError):  # the spawner was killed, and its readers too
            os.write(self._commands, COMMAND.pack(action, number))

    def _hear(self) -> None:
        """Which readers were born or have died since."""
        while True:
            try:
                event = os.read(self._events, EVENT.size)  # they are written as a whole
            except BlockingIOError:
                return
            if not event:
                raise Late("the readers were killed")
            what, number, pid = EVENT.unpack(event)
            if what == BORN:
                self._lanes[number].pid = pid
            else:
                self._lanes[number].clear()
                if self._current == number:
                    self._current = None


def _works(pid: int | None) -> bool:
    """Whether a reader computes or wants to: it is slow, but nothing blocks it."""
    for _ in range(_GLANCES):
        try:
            if pid is None or read_stat(pid).state == _READY:
                return True
        except (NoSuchProcess, PermissionDenied):
            return False
        time.sleep(_GLANCE_S)
    return False
