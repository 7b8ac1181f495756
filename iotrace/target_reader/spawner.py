# SPDX-License-Identifier: Apache-2.0
"""The process that forks readers. It never looks at a traced process, so it always answers.

It is forked before there are probes: a reader that hangs must not hold any.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import time
from collections.abc import Sequence
from typing import NoReturn

from iotrace.target_reader.confinement import (
    drop_privileges,
    end_with_parent,
    keep_only,
    leave_the_parent,
    limit_resources,
)

START, KILL, QUIT = b"S", b"K", b"Q"
"""Commands: one of these, and the number of a lane."""
COMMAND = struct.Struct("<cB")
BORN, DEAD = b"B", b"D"
"""Events: one of these, the number of a lane, and the reader's pid."""
_ENDING_S = 0.2
EVENT = struct.Struct("<cBI")


class Spawner:
    """Works in a forked child.

    ``lanes``: by number the pipes that a reader reads questions from and writes answers to.
    """

    def __init__(self, lanes: Sequence[tuple[int, int]], commands: int, events: int) -> None:
        self._lanes = lanes
        self._commands = commands
        self._events = events
        self._readers: dict[int, int] = {}
        """By lane."""

    def work(self, parent: int) -> NoReturn:
        """Until the commands end, or ``parent`` does."""
        pipes = [fd for lane in self._lanes for fd in lane]
        leave_the_parent([*pipes, self._commands, self._events], "iotrace-readers")
        drop_privileges()
        end_with_parent(parent)
        with contextlib.suppress(OSError):
            self._serve()
        self._end_readers()
        os._exit(0)

    def _serve(self) -> None:
        started = False
        woken, waker = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        waiting = select.poll()
        waiting.register(self._commands, select.POLLIN)
        waiting.register(woken, select.POLLIN)
        while True:
            ready = {fd for fd, _ in waiting.poll()}
            if woken in ready:
                os.read(woken, 4096)
                self._reap()
            if self._commands in ready:
                command = os.read(self._commands, COMMAND.size)  # they are written as a whole
                action, lane = COMMAND.unpack(command) if command else (QUIT, 0)
                if action == QUIT:
                    return
                if action == START:
                    if started:  # the first one is needed at once; others have it from here
                        from iotrace.target_reader.server import load_rest

                        load_rest()
                    self._start(lane)
                    started = True
                elif lane in self._readers:
                    os.kill(self._readers[lane], signal.SIGKILL)

    def _start(self, lane: int) -> None:
        spawner = os.getpid()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                end_with_parent(spawner)
                keep_only(self._lanes[lane])
                limit_resources()
                from iotrace.target_reader.server import serve

                serve(*self._lanes[lane])
            os._exit(1)
        self._readers[lane] = pid
        os.write(self._events, EVENT.pack(BORN, lane, pid))

    def _end_readers(self) -> None:
        """One that hangs is not waited for; the others leave nothing behind."""
        for pid in self._readers.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + _ENDING_S
        while self._readers and time.monotonic() < until:
            for lane, pid in tuple(self._readers.items()):
                if os.waitpid(pid, os.WNOHANG)[0]:
                    del self._readers[lane]
            time.sleep(0.001)

    def _reap(self) -> None:
        for lane, pid in tuple(self._readers.items()):
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._readers[lane]
                os.write(self._events, EVENT.pack(DEAD, lane, pid))
