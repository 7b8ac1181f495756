"""Threads that begin with a wait for the GIL, make one slow call each, and end."""

import threading
import time

from gate import finished, ready

THREADS, SLEEP_S = 23, 0.02
done = threading.Event()


def compute():
    while not done.is_set():
        sum(range(400_000))


def nap():
    time.sleep(SLEEP_S)  # LINE nap


ready()
computing = threading.Thread(target=compute)
computing.start()
for _ in range(THREADS):
    young = threading.Thread(target=nap)
    young.start()
    young.join()
done.set()
computing.join()
finished()
