"""Reads of data that is there already, while others compute: each takes what the GIL takes.

So many at least, and more until they have waited for it for long enough: mostly the reader has the
GIL back before another one has woken up. And waits for a lock and a queue, which are none for the
GIL, however soon they give up.
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
ENOUGH_NS = 50_000_000
MOST = 20_000

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


theirs.send(b"x" * MOST)
ready()
wait_for_others()
threads = [threading.Thread(target=spin) for _ in range(spinners)]
for thread in threads:
    thread.start()
waited_ns = made = 0
while made < reads or (waited_ns < ENOUGH_NS and made < MOST):
    made += 1
    before = time.perf_counter_ns()
    ours.recv(1)
    waited_ns += time.perf_counter_ns() - before
done.set()
for thread in threads:
    thread.join()
finished(waited_ns=waited_ns, reads=made)
