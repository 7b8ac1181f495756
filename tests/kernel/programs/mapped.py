"""Look things up in a mapped file, until SIGUSR2: mapped.py FILE."""

import mmap
import random
import signal
import sys
from pathlib import Path

from gate import ready


def look_up(index):
    return index[random.randrange(len(index))]  # LINE fault


def main():
    with Path(sys.argv[1]).open("rb") as file:
        index = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    index.madvise(mmap.MADV_RANDOM)
    ready()
    stopped = []
    signal.signal(signal.SIGUSR2, lambda number, frame: stopped.append(number))
    while not stopped:
        look_up(index)
    signal.pause()


main()
