# SPDX-License-Identifier: Apache-2.0
"""Delays that are injected into requests, each held against the part that it should be in.

How long each was is told by the clocks of the programs that make it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.process_group import PROGRAMS, SERVER_CPU, ProcessGroup, first_in_line, prepare
from iotrace.engine.map_limits import Limits, limits_for
from iotrace.tracing.trace import Trace

DELAYS_MS = tuple(range(20, 120, 5))
"""Each longer than all before it: so a maximum is that of the last one."""
_HEAD_START_S = 0.003
_ANSWER_BYTES = 1 << 19
_BUFFER_BYTES = 64 << 10
_DEADLINE_S = 10


class Injector:
    """A server under trace: programs/injected.py."""

    def __init__(self, group: ProcessGroup, how: str) -> None:
        self.group = group
        listener = group.listener()
        self.address = listener.getsockname()
        self.pid = group.program("injected.py", how, listener.fileno(), fds=(listener.fileno(),))
        listener.close()

    def connect(self, buffer_bytes: int = 0) -> socket.socket:
        """A new connection; ``buffer_bytes``: how much our end takes before we read it."""
        connection = socket.socket()
        connection.settimeout(_DEADLINE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if buffer_bytes:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        connection.connect(self.address)
        return connection


def ask(connection: socket.socket, request: str) -> None:
    """Send it."""
    connection.sendall(request.encode() + b"\n")


def answer(connection: socket.socket) -> dict[str, Any]:
    """What the server tells."""
    told = b""
    while not told.endswith(b"\n"):
        told += _piece(connection, 4096)
    found: dict[str, Any] = json.loads(told)
    return found


def _piece(connection: socket.socket, most: int) -> bytes:
    piece = connection.recv(most)
    if not piece:
        raise ConnectionError("the server has closed the connection")
    return piece


Inject = Callable[[Injector], Iterator[Callable[[int], int]]]
"""Sets up; its function makes a delay of so many ms, and returns how many ns it was."""


def _accept_queue(server: Injector) -> Iterator[Callable[[int], int]]:
    def inject(ms: int) -> int:
        with server.connect() as first, server.connect() as second:
            ask(first, "now")
            answer(first)
            ask(first, f"sleep {ms}")
            time.sleep(_HEAD_START_S)
            sent_ns = time.monotonic_ns()
            ask(second, "now")
            answer(first)
            first.close()
            accepted_ns: int = answer(second)["accepted"]
            return accepted_ns - sent_ns

    yield inject


def _held_up(request: str) -> Inject:
    """Another connection's request takes the loop, or the GIL."""

    def set_up(server: Injector) -> Iterator[Callable[[int], int]]:
        with server.connect() as first, server.connect() as second:
            for one in (first, second):
                ask(one, "now")
                answer(one)

            def inject(ms: int) -> int:
                ask(first, f"{request} {ms}")
                time.sleep(_HEAD_START_S)
                sent_ns = time.monotonic_ns()
                ask(second, "now")
                until_ns: int = answer(first)["told"]
                answer(second)
                return until_ns - sent_ns

            yield inject

    return set_up


def _run_queue(server: Injector) -> Iterator[Callable[[int], int]]:
    hog = subprocess.Popen(
        [sys.executable, str(PROGRAMS / "hog.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: prepare(SERVER_CPU),
        text=True,
    )
    assert hog.stdin is not None
    assert hog.stdout is not None
    stdin, stdout = hog.stdin, hog.stdout
    try:
        with server.connect() as connection:

            def inject(ms: int) -> int:
                stdin.write(f"{ms}\n")
                stdin.flush()
                stdout.readline()
                sent_ns = time.monotonic_ns()
                ask(connection, "now")
                answer(connection)
                return int(stdout.readline()) - sent_ns

            ask(connection, "now")
            answer(connection)
            yield inject
    finally:
        hog.kill()
        hog.communicate()


def _upstream(server: Injector) -> Iterator[Callable[[int], int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener, server.connect() as connection:
        delays: list[int] = []
        took: list[int] = []

        def serve() -> None:
            with listener.accept()[0] as peer:
                while peer.recv(1):
                    begin_ns = time.monotonic_ns()
                    time.sleep(delays[-1] / 1000)
                    took.append(time.monotonic_ns() - begin_ns)
                    peer.sendall(b"!")

        threading.Thread(target=serve, daemon=True).start()

        def inject(ms: int) -> int:
            delays.append(ms)
            ask(connection, f"upstream {listener.getsockname()[1]}")
            answer(connection)
            return took[-1]

        yield inject


def _own(request: str) -> Inject:
    """What the server tells is how long it took, or from when to when."""

    def set_up(server: Injector) -> Iterator[Callable[[int], int]]:
        with server.connect() as connection:

            def inject(ms: int) -> int:
                ask(connection, f"{request} {ms}")
                told: int | list[int] = answer(connection)["told"]
                return told if isinstance(told, int) else told[1] - told[0]

            yield inject

    return set_up


def _slow_reader(server: Injector) -> Iterator[Callable[[int], int]]:
    def inject(ms: int) -> int:
        with server.connect(_BUFFER_BYTES) as connection:
            asked_ns = time.monotonic_ns()
            ask(connection, f"big {_ANSWER_BYTES}")
            time.sleep(ms / 1000)
            begin_ns, left = time.monotonic_ns(), _ANSWER_BYTES
            while left:
                left -= len(_piece(connection, 1 << 20))
            return begin_ns - asked_ns

    yield inject


@dataclass(frozen=True, slots=True)
class Delay:
    """``phase`` and ``states``: where the delay must be; phase "last": after the first byte."""

    name: str
    how: str
    inject: Inject
    phase: str
    states: tuple[str, ...]

    def part(self) -> str:
        """In words."""
        states = " and ".join(one for one in self.states if one)
        return f"{self.phase}: {states}" if states else self.phase


DELAYS = (
    Delay("the accept queue", "connections", _accept_queue, "queue", ("",)),
    Delay(
        "a loop that sleeps for another request", "loop", _held_up("sleep"), "pickup", ("sleep",)
    ),
    Delay("the GIL, held by another request", "threads", _held_up("hold"), "service", ("gil",)),
    Delay("the run queue, behind a real-time hog", "threads", _run_queue, "pickup", ("runq",)),
    Delay("an upstream that answers late", "threads", _upstream, "service", ("recv",)),
    Delay("a lock", "threads", _own("lock"), "service", ("lock",)),
    Delay("computing", "threads", _own("compute"), "service", ("user", "kernel")),
    Delay("a client that reads late", "threads", _slow_reader, "last", ()),
)


@dataclass(frozen=True, slots=True)
class Injected:
    """Of one delay: how many ns more than were injected its part had, each time."""

    injected_ns: tuple[int, ...]
    surplus_ns: tuple[int, ...]


def outside_of(injected_ns: Sequence[int], surplus_ns: Sequence[int]) -> int:
    """How many differ by more than 1 ms, and more than 2 %."""
    pairs = zip(injected_ns, surplus_ns, strict=True)
    return sum(abs(more) > max(1_000_000, 0.02 * ns) for ns, more in pairs)


def injected(delay: Delay) -> Injected:
    """Trace a server, and delay its requests; whatever else the host does delays none."""
    with first_in_line(), ProcessGroup() as group:
        server = Injector(group, delay.how)
        server.connect().close()
        with Trace(limits_for([server.pid], Limits())) as trace:
            trace.follow(server.pid, True)
            time.sleep(0.3)
            with contextmanager(delay.inject)(server) as inject:
                return _injected(delay, inject, trace)


def _injected(delay: Delay, inject: Callable[[int], int], trace: Trace) -> Injected:
    injected_ns, surplus_ns = [], []
    before_ns, _ = _in_part(delay, trace)
    for number, ms in enumerate(DELAYS_MS):
        injected_ns.append(inject(ms))
        until = time.monotonic() + _DEADLINE_S
        while True:
            part_ns, count = _in_part(delay, trace)
            if delay.phase != "last" or count > number:
                break
            if time.monotonic() > until:
                raise TimeoutError("the last byte of an answer is not told")
            time.sleep(0.01)
        surplus_ns.append(part_ns - before_ns - injected_ns[-1])
        before_ns = 0 if delay.phase == "last" else part_ns
    return Injected(tuple(injected_ns), tuple(surplus_ns))


def _in_part(delay: Delay, trace: Trace) -> tuple[int, int]:
    """Of all requests: ns in the part (the last: the longest of them), and last bytes seen."""
    found = [one for key, one in trace.snapshot().endpoints.items() if key.role == "server"]
    if delay.phase == "last":
        longest_ns = max((one.last_byte_max_ns for one in found), default=0)
        return longest_ns, sum(sum(one.last_byte) for one in found)
    parts = (
        ns
        for one in found
        for key, ns in one.tiers.items()
        if key.phase == delay.phase and key.state in delay.states
    )
    return sum(parts), 0
