"""The live screen of ``attach``: whether there can be one, and what it is fed with."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from iotrace.cli.options import Shown
from iotrace.tracing.stop_conditions import Ending

if TYPE_CHECKING:
    from iotrace.live.picture import Picture
    from iotrace.snapshot.model import Snapshot
    from iotrace.tracing.trace import Trace

_EVERY_NS = 1_000_000_000
_FIRST_NS = 300_000_000
_REST = 40
"""A picture that took long to make is followed by a rest of so many times that."""
_LOOK_REST = 100
"""And so is a look at where sockets lead to, whose tables are long on a busy host."""


def prepare(shown: Shown, every_ns: int | None) -> Live | None:
    """A screen for this terminal; None where there can be none.

    The three streams must be terminals (keys come by stdin, the screen goes to stderr, the report
    to stdout) and the report a table for it.
    """
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if shown.output is not None or shown.fmt != "table" or os.environ.get("TERM", "dumb") == "dumb":
        return None
    if not all(stream is not None and stream.isatty() for stream in streams):
        return None
    try:
        # Before anything is traced: it takes a while, and the tracer's CPU time is reported.
        import iotrace.live.screen  # noqa: F401
    except ImportError:
        sys.stderr.write(
            f"iotrace: for a live screen: {sys.executable} -m pip install 'textual>=8'\n"
        )
        return None
    from iotrace.output import color

    return Live(every_ns or _EVERY_NS, color.wanted_here(shown.color, True))


class Live:
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
        self._picture = advance(self._picture, whole, trace.report(part, judged=False))
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
        self, trace: Trace, duration_ns: int | None, step: Callable[[], Ending | None]
    ) -> Ending | None:
        """Until ``step`` says why the trace ends or a key ends it; None: the screen failed.

        Raises what ``step`` raises, the terminal being as before.
        """
        from iotrace.live.screen import LiveScreen, run

        ending: Ending | None = None

        def go_on() -> bool:
            nonlocal ending
            ending = step()
            return ending is None

        screen = LiveScreen(go_on, lambda: self._picture, until_ns=duration_ns, color=self._color)
        try:
            run(screen)
        finally:
            self.is_on = False
        if screen.failure is not None:
            name = type(screen.failure).__name__
            sys.stderr.write(f"iotrace: the live screen failed ({name}); the trace goes on\n")
        return Ending.SIGNAL if ending is None and screen.asked_to_end else ending
