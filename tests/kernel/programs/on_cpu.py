"""Compute for so long, then collect garbage for so long, both by the thread's own CPU clock."""

import gc
import sys
import time

from gate import finished, ready

EACH_S = float(sys.argv[1])


def compute():
    end = time.thread_time() + EACH_S
    while time.thread_time() < end:
        sum(range(10_000))  # LINE compute


def collect():
    end = time.thread_time() + EACH_S
    while time.thread_time() < end:
        gc.collect()  # LINE collect


alive = [[number] for number in range(200_000)]
gc.disable()
ready()
compute()
collect()
finished()
