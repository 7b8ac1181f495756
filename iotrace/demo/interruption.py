"""A Ctrl-C ends the demo at a moment when everything that was started can be stopped."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interruption:
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

    def __enter__(self) -> Interruption:
        for number in _ENDING:
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
