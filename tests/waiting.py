"""Wait for conditions, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

DEADLINE_S = 30.0


def wait_until(
    condition: Callable[[], object],
    what: str,
    pause_s: float = 0.0005,
    deadline_s: float = DEADLINE_S,
) -> None:
    """Ask again and again, less and less often (always, for no pause); fails at the deadline."""
    give_up = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < give_up, f"waited {deadline_s:g} s in vain: {what}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.05)
