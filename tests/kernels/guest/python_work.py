# SPDX-License-Identifier: Apache-2.0
"""Sleeps at a known line, each followed by a wait for the GIL. Says how long these took together.

Another thread has the GIL meanwhile, and does not let go of it within one sum(): it is what the
sampling clock finds.
"""

import json
import sys
import threading
import time
from pathlib import Path

SLEEPS, SLEEP_S = 41, 0.05
"""Until a time that is set before the call: on a slow CPU a short sleep may be over by then."""
done = threading.Event()


def spin() -> None:
    while not done.is_set():
        sum(range(300_000))


def pause() -> None:
    time.sleep(SLEEP_S)


time.sleep(float(sys.argv[2]))  # iotrace follows stacks a moment after it follows the program
spinner = threading.Thread(target=spin)
spinner.start()
waited_ns = 0
for _ in range(SLEEPS):
    before = time.perf_counter_ns()
    pause()
    waited_ns += time.perf_counter_ns() - before - int(SLEEP_S * 1e9)
done.set()
spinner.join()
told = {"sleeps": SLEEPS, "waited_ns": waited_ns, "line": pause.__code__.co_firstlineno + 1}
Path(sys.argv[1]).write_text(json.dumps(told))
