"""Threads that are given names after they began."""

import ctypes
import threading

from gate import finished, ready

PR_SET_NAME = 15


def name_thread(name):
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def main():
    go, forever = threading.Event(), threading.Event()
    named = threading.Semaphore(0)

    def work(name):
        go.wait()
        name_thread(name)
        named.release()
        forever.wait()

    threading.Thread(target=work, args=("was-there",), daemon=True).start()
    ready()
    go.set()
    threading.Thread(target=work, args=("came-later",), daemon=True).start()
    name_thread("first")
    for _ in range(2):
        named.acquire()
    finished()


main()
