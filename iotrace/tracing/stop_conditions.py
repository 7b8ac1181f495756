"""Wait until a trace should end: time is up, a signal came, or the targets are gone.

The signals are blocked and taken one by one (sigtimedwait), so that none is missed and none
interrupts anything half done.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from enum import Enum

_ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT})
_SI_KERNEL = 0x80
"""si_code of a signal that the terminal sent: the whole foreground group got it."""


class Ending(Enum):
    """Why a trace ends."""

    DURATION = "duration"
    SIGNAL = "signal"
    TARGETS = "targets"


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold back the ending signals (and SIGCHLD) inside; they are as before afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING | {signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def wait_for_ending(
    *,
    until_ns: int | None,
    tick_ns: int,
    on_tick: Callable[[], bool],
    on_signal: Callable[[int, bool], bool],
) -> Ending:
    """Wait inside ``signals_held``. ``until_ns`` is on CLOCK_MONOTONIC, None: no limit.

    ``on_tick`` runs at least every ``tick_ns``; it returns False once the targets are gone.
    ``on_signal(number, from_terminal)`` says whether the signal ends the trace.
    """
    while True:
        ending = tick(until_ns=until_ns, tick_ns=tick_ns, on_tick=on_tick, on_signal=on_signal)
        if ending is not None:
            return ending


def tick(
    *,
    until_ns: int | None,
    tick_ns: int,
    on_tick: Callable[[], bool],
    on_signal: Callable[[int, bool], bool],
) -> Ending | None:
    """One turn of ``wait_for_ending``, ``tick_ns`` long at most; None: it goes on.

    For who has an event loop of their own: with ``tick_ns`` 0 it never waits.
    """
    now = time.monotonic_ns()
    if until_ns is not None and now >= until_ns:
        return Ending.DURATION
    timeout = tick_ns if until_ns is None else min(tick_ns, until_ns - now)
    received = signal.sigtimedwait(_ENDING | {signal.SIGCHLD}, timeout / 1e9)
    if (
        received is not None
        and received.si_signo != signal.SIGCHLD
        and on_signal(received.si_signo, received.si_code == _SI_KERNEL)
    ):
        return Ending.SIGNAL
    return None if on_tick() else Ending.TARGETS
