"""Opens a named pipe, by a relative path and after a wait each time, and at last for good. Gives
memory back in between, by calls that take no path."""

import mmap
import os
import tempfile
import threading
import time

from gate import finished, ready

TIMES, PAUSE_S = 5, 0.03
FILLED = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
os.chdir(tempfile.mkdtemp())
os.mkfifo("orders.pipe")
os.mkfifo("nobody.pipe")


def write():
    for _ in range(TIMES):
        time.sleep(PAUSE_S)
        os.close(os.open("orders.pipe", os.O_WRONLY))


def wait():
    os.open("nobody.pipe", os.O_RDONLY)  # LINE hangs


ready()
threading.Thread(target=write, daemon=True).start()
for _ in range(TIMES):
    os.close(os.open("orders.pipe", os.O_RDONLY))  # LINE opens
    time.sleep(PAUSE_S / 10)
    with mmap.mmap(-1, 1 << 26, FILLED) as filled:
        filled.madvise(mmap.MADV_DONTNEED)  # LINE gives
threading.Thread(target=wait, daemon=True).start()
time.sleep(PAUSE_S)
finished()
