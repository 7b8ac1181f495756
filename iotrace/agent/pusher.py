# SPDX-License-Identifier: Apache-2.0
"""Pushes metrics over OTLP, from a process that holds no probes and has no privileges."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import NoReturn, Protocol

from iotrace import __version__
from iotrace.agent.channel import channel, frames, hand_on
from iotrace.agent.unprivileged import be_nobody
from iotrace.errors import Unsupported
from iotrace.metrics.wire import unpack

_MOST_WAITING = 64
"""Intervals that are kept while the endpoint does not answer: ten minutes of 10 s."""
_MOST_TRIES = 8
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 10.0
_LAST_S = 5.0
"""For what is left when the agent ends."""
_LONGEST_WHY = 300
"""So that what is told fits into a pipe at once."""


@dataclass(frozen=True, slots=True)
class State:
    """Intervals that were pushed, that never will be, and that wait; why the last try failed."""

    pushed: int = 0
    lost: int = 0
    waiting: int = 0
    why: str = ""


When = tuple[int, int]
"""When counting began, and when a frame came: nanoseconds since 1970."""


class Endpoint(Protocol):
    """Where metrics are pushed to."""

    def now(self) -> When:
        """For a frame that has just come."""

    def push(self, frame: bytes, when: When) -> str:
        """Why it failed; "": it did not."""


class Pusher:
    """Hands each interval to the process that pushes it."""

    def __init__(self, url: str, connect: Callable[[str], Endpoint] | None = None) -> None:
        """Fork. Raises Unsupported where OpenTelemetry is not installed."""
        if connect is None:
            _require_package()
        self.url = url
        self.state = State()
        reading, self._writing = channel()
        self._telling, telling = os.pipe()
        os.set_blocking(self._telling, False)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(url, connect or _Otlp, reading, telling, parent)
        os.close(reading)
        os.close(telling)

    def publish(self, frame: bytes) -> None:
        """Samples, packed. Raises Unsupported where the process that pushes does not take them."""
        hand_on(self._writing, frame, "Metrics are not pushed", f"pushes to {self.url}")

    def poll(self) -> State:
        """How far it is, as it said last."""
        with contextlib.suppress(BlockingIOError):
            lines = os.read(self._telling, 1 << 16).splitlines()
            if lines:
                self.state = State(**json.loads(lines[-1]))
        return self.state

    def close(self) -> State:
        """It pushes what is left, for a few seconds, and ends."""
        os.close(self._writing)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        state = self.poll()
        os.close(self._telling)
        return state


def _require_package() -> None:
    try:
        found = importlib.util.find_spec("opentelemetry.exporter.otlp.proto.http")
    except ImportError:
        found = None
    if found is None:
        raise Unsupported(
            "--otlp needs OpenTelemetry's SDK and its exporter.",
            why="No package opentelemetry.exporter.otlp.proto.http is installed.",
            paste="pip install 'iotrace[agent,otlp]'",
        )


class _Otlp:
    """An endpoint that speaks OTLP over HTTP."""

    def __init__(self, url: str) -> None:
        from iotrace.metrics.otlp import Client, Times

        self._client = Client(url, __version__)
        self._times = Times(time.time_ns(), time.monotonic_ns())

    def now(self) -> When:
        """The clock of the points, which others see: it may step."""
        return self._times.of(time.time_ns(), time.monotonic_ns())

    def push(self, frame: bytes, when: When) -> str:
        """See Endpoint."""
        return self._client.push(unpack(frame), *when)


class _Queue:
    """Intervals that wait to be pushed, in their order; it counts, and tells.

    The one that is under way is out of the queue, so that its fate is known to its push alone.
    """

    def __init__(self, endpoint: Endpoint, telling: int) -> None:
        self._endpoint = endpoint
        self._telling = telling
        self._waiting: deque[tuple[bytes, When]] = deque()
        self._under_way = 0
        self._changed = threading.Condition()
        self._ended = False
        self._state = State()

    def put(self, frame: bytes) -> None:
        """One interval more; where too many wait, the oldest is lost."""
        with self._changed:
            self._waiting.append((frame, self._endpoint.now()))
            if len(self._waiting) + self._under_way > _MOST_WAITING:
                self._waiting.popleft()
                self._tell(lost=1)
            self._changed.notify()

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def lose_the_rest(self) -> None:
        """There is no time left."""
        with self._changed:
            lost = len(self._waiting) + self._under_way
            self._waiting.clear()
            self._under_way = 0
            self._tell(lost=lost)

    def work(self) -> None:
        """Push until the end."""
        pause_s = _FIRST_PAUSE_S
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    return
                first = self._waiting.popleft()
                self._under_way = 1
            for left in reversed(range(_MOST_TRIES)):
                why = self._endpoint.push(*first)
                with self._changed:
                    if not self._under_way:  # it has been counted: there was no time left
                        return
                    if not why or not left:
                        self._under_way = 0
                        self._tell(pushed=int(not why), lost=int(bool(why)), why=why)
                    else:
                        self._tell(why=why)
                    pause_s = self._pause(pause_s) if why else _FIRST_PAUSE_S
                if not why:
                    break

    def _pause(self, seconds: float) -> float:
        """How long the next one is. The end cuts one short; those after it are short again."""
        before = self._ended
        if self._changed.wait_for(lambda: self._ended and not before, seconds):
            return _FIRST_PAUSE_S
        return min(2 * seconds, _LONGEST_PAUSE_S)

    def _tell(self, pushed: int = 0, lost: int = 0, why: str | None = None) -> None:
        """``why`` None: as it was, as nothing was tried."""
        self._state = State(
            self._state.pushed + pushed,
            self._state.lost + lost,
            len(self._waiting) + self._under_way,
            self._state.why if why is None else why[:_LONGEST_WHY],
        )
        with contextlib.suppress(BlockingIOError):
            os.write(self._telling, json.dumps(asdict(self._state)).encode() + b"\n")


def _serve(
    url: str, connect: Callable[[str], Endpoint], reading: int, telling: int, parent: int
) -> NoReturn:
    """In the child: until the pipe ends, and a little longer."""
    try:
        endpoint = connect(url)  # imports, while it may still read where packages lie
        be_nobody([reading, telling], "iotrace-otlp", parent)
        os.set_blocking(telling, False)
        queue = _Queue(endpoint, telling)
        worker = threading.Thread(target=queue.work, daemon=True)
        worker.start()
        for frame in frames(reading):
            queue.put(frame)
        queue.end()
        worker.join(_LAST_S)
        queue.lose_the_rest()
    except BaseException:  # a forked child must not run its parent's code
        pass
    os._exit(0)
