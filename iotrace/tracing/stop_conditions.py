# SPDX-License-Identifier: Apache-2.0
"""When a trace ends: its time is up, a signal came, or the targets are gone.

Signals arrive in one of two ways. ``signals_held`` blocks them, and ``poll_stop`` takes them one by
one (sigtimedwait): none is missed and none interrupts anything half done. A program that starts
others, which would inherit blocked signals, uses ``NotedSignals``.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from enum import Enum
from types import FrameType, TracebackType

_HELD = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1})
_NOTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SI_KERNEL = 0x80
"""si_code of a signal that the terminal sent: the whole foreground group got it."""


_TICK_NS = 100_000_000
"""A child may have ended before its signal was waited for."""


class Stop(Enum):
    """Why a trace ends."""

    DURATION = "duration"
    SIGNAL = "signal"
    TARGETS = "targets"


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Block the ending signals (and SIGCHLD) inside; afterwards they are as before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD | {signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def poll_stop(
    *,
    until_ns: int | None,
    timeout_ns: int,
    on_tick: Callable[[], bool],
    on_signal: Callable[[int, bool], bool],
) -> Stop | None:
    """Wait for a signal inside ``signals_held``, ``timeout_ns`` at most; None: the trace goes on.

    ``until_ns`` is on CLOCK_MONOTONIC, None: no limit. ``on_tick`` returns False once the targets
    are gone. ``on_signal(number, from_terminal)`` says whether the signal ends the trace.
    """
    now = time.monotonic_ns()
    if until_ns is not None and now >= until_ns:
        return Stop.DURATION
    timeout = timeout_ns if until_ns is None else min(timeout_ns, until_ns - now)
    received = signal.sigtimedwait(_HELD | {signal.SIGCHLD}, timeout / 1e9)
    if (
        received is not None
        and received.si_signo != signal.SIGCHLD
        and on_signal(received.si_signo, received.si_code == _SI_KERNEL)
    ):
        return Stop.SIGNAL
    return None if on_tick() else Stop.TARGETS


def wait_for_end(ended: Callable[[], bool], on_signal: Callable[[int, bool], bool]) -> None:
    """Until a child has ended, inside ``signals_held``; ``on_signal``: see ``poll_stop``."""
    while not ended():
        poll_stop(until_ns=None, timeout_ns=_TICK_NS, on_tick=lambda: True, on_signal=on_signal)


def discard_pending_signals() -> None:
    """A second Ctrl-C in the same moment must not cost the report."""
    while signal.sigtimedwait((signal.SIGINT, signal.SIGCHLD), 0) is not None:
        pass


class NotedSignals:
    """While it is entered, the ending signals are only noted; ``check`` acts on them.

    So none of them comes between the start of a process and the note that it has to be stopped.
    """

    def __init__(self) -> None:
        self._received: int | None = None
        self._before: dict[int, signal._HANDLER] = {}

    def check(self) -> None:
        """Raises SystemExit(128 + N), as a shell tells it, once a signal N has come."""
        if self._received is not None:
            raise SystemExit(128 + self._received)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = number

    def __enter__(self) -> NotedSignals:
        for number in _NOTED:
            # What the caller ignores (nohup) stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
