"""Starts processes of two threads, ROUNDS times COUNT of them at once, and waits for each round."""

import os
import sys
import threading

rounds, count = int(sys.argv[1]), int(sys.argv[2])


def child() -> None:
    thread = threading.Thread(target=sum, args=(range(1000),))
    thread.start()
    thread.join()
    os._exit(0)


for _ in range(rounds):
    children = []
    for _ in range(count):
        pid = os.fork()
        if not pid:
            child()
        children.append(pid)
    for pid in children:
        os.waitpid(pid, 0)
