"""gevent: greenlets that wait as they should, and one that holds all of them up so many times."""

import sys
import time

import gevent
from gate import finished, ready

STALL_S = 0.07
GAP_S = 0.02
waits = gevent.sleep


def polite():
    while True:
        waits(0.003)


def hold_up(times):
    for _ in range(times):
        waits(GAP_S)
        time.sleep(STALL_S)  # LINE hold
    waits(GAP_S)


ready()
for _ in range(3):
    gevent.spawn(polite)
gevent.spawn(hold_up, int(sys.argv[1])).join()
finished()
