"""Signals that come at any moment."""

from __future__ import annotations

import os
import signal

import pytest

from iotrace.tracing.stop_conditions import NotedSignals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_at_the_next_check_and_not_before(number: signal.Signals) -> None:
    # A shell that runs the tests in the background has them ignore SIGINT.
    ours = signal.default_int_handler
    before = signal.signal(number, ours)
    try:
        with NotedSignals() as signals:
            signals.check()
            os.kill(os.getpid(), number)
            with pytest.raises(SystemExit) as ending:
                signals.check()
            assert ending.value.code == 128 + number
        assert signal.getsignal(number) is ours
    finally:
        signal.signal(number, before)


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with NotedSignals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            signals.check()
    finally:
        signal.signal(signal.SIGHUP, before)
