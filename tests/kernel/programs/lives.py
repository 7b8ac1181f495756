"""A process that sleeps, forks a child that sleeps and ends, and becomes another that sleeps."""

import os
import sys
import time

from gate import finished, ready

SLEEP_S = 0.03


def before_exec():
    time.sleep(SLEEP_S)  # LINE before


def in_child():
    time.sleep(SLEEP_S)  # LINE child
    os._exit(0)


def after_exec():
    for _ in range(23):
        time.sleep(SLEEP_S)  # LINE after


ready()
if len(sys.argv) > 1:
    after_exec()
    finished()
before_exec()
child = os.fork()
if not child:
    in_child()
os.waitpid(child, 0)
os.execv(sys.executable, [sys.executable, "-u", __file__, "again"])
