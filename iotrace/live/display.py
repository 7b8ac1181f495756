# SPDX-License-Identifier: Apache-2.0
"""What the live screen is fed with: pictures of the trace, as often as they are cheap."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from iotrace.tracing.stop_conditions import Stop

if TYPE_CHECKING:
    from iotrace.live.page_rows import Picture
    from iotrace.snapshot.snapshot import Snapshot
    from iotrace.tracing.trace import Trace

EVERY_NS = 1_000_000_000
_FIRST_NS = 300_000_000
_REST = 40
"""A picture that took long to make is followed by a rest of so many times that."""
_LOOK_REST = 100
"""And so is a look at where sockets lead to, whose tables are long on a busy host."""


class LiveDisplay:
    """Makes a picture of the trace now and then, and shows the latest."""

    def __init__(
        self, every_ns: int, in_color: bool, cpu_ns: Callable[[], int] = time.thread_time_ns
    ) -> None:
        """``cpu_ns``: a clock of the CPU time that pictures take."""
        self.is_on = True
        self._cpu_ns = cpu_ns
        self._every_ns = every_ns
        self._color = in_color
        self._next_ns = 0
        self._next_look_ns = 0
        self._last: Snapshot | None = None
        self._picture: Picture | None = None

    def refresh(self, now_ns: int, trace: Trace) -> None:
        """A new picture, if it is time."""
        if not self._next_ns:
            self._next_ns = trace.started_ns + min(self._every_ns, _FIRST_NS)
        if now_ns < self._next_ns:
            return
        from iotrace.live.picture import advance
        from iotrace.snapshot.arithmetic import interval

        begin_ns = self._cpu_ns()
        snapshot = trace.snapshot()
        looked_ns = self._look(now_ns, trace)
        part = interval(snapshot, self._last) if self._last else snapshot
        self._last = snapshot
        whole = trace.report(snapshot)
        self._picture = advance(
            self._picture,
            whole,
            trace.report(part, judged=False),
            trace.complete_ns - trace.started_ns,
        )
        took_ns = self._cpu_ns() - begin_ns - looked_ns
        self._next_ns = now_ns + max(self._every_ns, took_ns * (1 + _REST))

    def _look(self, now_ns: int, trace: Trace) -> int:
        """How long looking at sockets took; 0 where it was not time for that."""
        begin_ns = self._cpu_ns()
        with_sockets = now_ns >= self._next_look_ns
        trace.look(sockets=with_sockets)
        if not with_sockets:
            return 0
        took_ns = self._cpu_ns() - begin_ns
        self._next_look_ns = now_ns + took_ns * (1 + _LOOK_REST)
        return took_ns

    def show(
        self, trace: Trace, duration_ns: int | None, step: Callable[[], Stop | None]
    ) -> Stop | None:
        """Until ``step`` says why the trace ends or a key ends it; None: the screen failed.

        Raises what ``step`` raises, the terminal being as before.
        """
        from iotrace.live.screen import LiveScreen, run

        stop: Stop | None = None

        def go_on() -> bool:
            nonlocal stop
            stop = step()
            return stop is None

        screen = LiveScreen(go_on, lambda: self._picture, until_ns=duration_ns, color=self._color)
        try:
            run(screen)
        finally:
            self.is_on = False
        if screen.failure is not None:
            name = type(screen.failure).__name__
            sys.stderr.write(f"iotrace: the live screen failed ({name}); the trace goes on\n")
        return Stop.SIGNAL if stop is None and screen.asked_to_end else stop
