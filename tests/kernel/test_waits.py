"""An injected delay is a wait of that length, for the right reason."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from iotrace.report.model import Process, Thread
from iotrace.snapshot.arithmetic import interval
from iotrace.tracing.trace import Trace
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, tracing
from tests.kernel.waiting import sleeps_in
from tests.waiting import wait_until

DELAY_NS = 50_000_000
WITHIN_NS = 1_000_000
ROUNDS = 11

# mode of programs/rounds.py: the call that sleeps, and why
MODES = {
    "recv": ("recvfrom", "recv"),
    "recvmsg": ("recvmsg", "recv"),
    "read": ("read", "recv"),
    "select": ("pselect6", "poll"),
    "old_select": ("select", "poll"),
    "poll_": ("poll", "poll"),
    "ppoll": ("ppoll", "poll"),
    "epoll_": ("epoll_wait", "poll"),
    "epoll_pwait": ("epoll_pwait", "poll"),
    "epoll_pwait2": ("epoll_pwait2", "poll"),
    "accept": ("accept4", "accept"),
}
MULTIPLEXED = [mode for mode, (_, reason) in MODES.items() if reason == "poll"]


@dataclass(frozen=True, slots=True)
class Round:
    """What one round's report says, and how long its call can have waited: between these two."""

    process: Process
    least_ns: int
    most_ns: int

    @property
    def uncertainty_ns(self) -> int:
        return self.most_ns - self.least_ns

    @property
    def thread(self) -> Thread:
        return self.process.threads[0]

    def call_wait_ns(self, syscall: str) -> int:
        return sum(row.wait_ns for row in self.process.calls if row.syscall == syscall)


class Peer:
    """The other end of programs/rounds.py: answers each round after the delay."""

    def __init__(self, listener: socket.socket, target: Target, trace: Trace) -> None:
        self._target = target
        self._trace = trace
        self._socket = listener.accept()[0]
        self._before = trace.snapshot()

    def play(self, mode: str) -> Round:
        """One round."""
        began_ns = time.monotonic_ns()
        self._target.go()
        assert self._socket.recv(1) == b"?"
        # The sooner it is seen, the better is known when it began.
        wait_until(self._sleeps_in(MODES[mode][0]), "the call to sleep", pause_s=0)
        asleep_ns = time.monotonic_ns()
        time.sleep(DELAY_NS / 1e9)
        with socket.socket() as client:
            answer = self._answer(mode, client)
            before_ns = time.monotonic_ns()
            answer()
            after_ns = time.monotonic_ns()
        wait_until(self._sleeps_in("rt_sigtimedwait", "pause"), "the round to end")
        now = self._trace.snapshot()
        report = self._trace.report(interval(now, self._before))
        self._before = now
        process = process_of(report, self._target.pid)
        return Round(process, before_ns - asleep_ns, after_ns - began_ns)

    def _sleeps_in(self, *syscalls: str) -> Callable[[], bool]:
        return lambda: sleeps_in(self._target.pid, self._target.pid, *syscalls)

    def _answer(self, mode: str, client: socket.socket) -> Callable[[], object]:
        """What ends the wait, and takes no longer than it must."""
        if mode == "accept":
            return lambda: client.connect(("127.0.0.1", self._target.facts["port"]))
        return lambda: self._socket.send(b"!")


@pytest.fixture(scope="module")
def rounds() -> Iterator[dict[str, list[Round]]]:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Target("rounds.py", listener.getsockname()[1], ROUNDS, *MODES) as target,
        tracing(target.pid) as trace,
    ):
        peer = Peer(listener, target, trace)
        yield {mode: [peer.play(mode) for _ in range(ROUNDS)] for mode in MODES}


@pytest.mark.parametrize("mode", MODES)
def test_a_delay_is_a_wait_of_that_length(rounds: dict[str, list[Round]], mode: str) -> None:
    syscall, reason = MODES[mode]
    for one in rounds[mode]:
        wait_ns = one.thread.states_ns.wait[reason]
        assert DELAY_NS <= one.least_ns <= wait_ns <= one.most_ns
        assert one.call_wait_ns(syscall) == wait_ns
    # On a busy machine most rounds cannot be measured that well from outside.
    assert min(one.uncertainty_ns for one in rounds[mode]) < WITHIN_NS


@pytest.mark.parametrize("mode", MULTIPLEXED)
def test_behind_a_multiplexer_nothing_waits_in_recv(
    rounds: dict[str, list[Round]], mode: str
) -> None:
    for one in rounds[mode]:
        assert one.thread.states_ns.wait["recv"] < 0.01 * one.thread.states_ns.wait["poll"]
