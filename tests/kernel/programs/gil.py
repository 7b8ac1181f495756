"""Reads of data that is there already, while others compute: each takes what the GIL takes.

And waits for a lock and a queue, which are none for the GIL, however soon they give up.
"""

import queue
import socket
import sys
import threading
import time

from gate import finished, ready

reads, spinners = int(sys.argv[1]), int(sys.argv[2])
LOCKED_S = 0.3
GIVEN_UP = 43

ours, theirs = socket.socketpair()
done = threading.Event()


def spin():
    while not done.is_set():
        sum(range(1000))


def wait_for_others():
    lock, jobs = threading.Lock(), queue.Queue()
    lock.acquire()
    for _ in range(GIVEN_UP):
        lock.acquire(timeout=0.003)
    threading.Timer(LOCKED_S, lock.release).start()
    lock.acquire()
    threading.Timer(LOCKED_S, jobs.put, (1,)).start()
    jobs.get()


theirs.send(b"x" * reads)
ready()
wait_for_others()
threads = [threading.Thread(target=spin) for _ in range(spinners)]
for thread in threads:
    thread.start()
waited_ns = 0
for _ in range(reads):
    before = time.perf_counter_ns()
    ours.recv(1)
    waited_ns += time.perf_counter_ns() - before
done.set()
for thread in threads:
    thread.join()
finished(waited_ns=waited_ns)
