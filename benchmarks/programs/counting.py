# SPDX-License-Identifier: Apache-2.0
"""The shared counter as the programs use it: words of 64 bits in a mapped file.

Word 0: operations so far. Word 1: how many to do before waiting to be ended, 0: no end.
Word 2: 1 once that many are done. Word 3: 0 holds programs back that need no load to begin.
"""

import mmap
import signal
import time
from pathlib import Path


def open_counter(path):
    """The words, writable."""
    with Path(path).open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 4096)).cast("Q")


def finish(counter):
    """All that was asked for is done."""
    counter[2] = 1
    while True:
        signal.pause()


def wait_for_go(counter):
    """Until whoever started this program lets it begin."""
    while not counter[3]:
        time.sleep(0.001)
