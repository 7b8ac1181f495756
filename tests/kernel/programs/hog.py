"""Compute on one CPU until SIGUSR2 comes: hog.py CPU."""

import os
import signal
import sys

from gate import ready


def main():
    os.sched_setaffinity(0, {int(sys.argv[1])})
    ready()
    stopped = []
    signal.signal(signal.SIGUSR2, lambda number, frame: stopped.append(number))
    while not stopped:
        pass
    signal.pause()


main()
