"""Threads that are given names after they began."""

import ctypes
import threading
from pathlib import Path

from gate import finished, ready

PR_SET_NAME = 15


def name_thread(name):
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def main():
    go, again, forever = threading.Event(), threading.Event(), threading.Event()
    tids = []
    named = threading.Semaphore(0)

    def work(name):
        go.wait()
        name_thread(name)
        named.release()
        forever.wait()

    def be_named():
        tids.append(threading.get_native_id())
        named.release()
        go.wait()
        again.wait()
        named.release()
        forever.wait()

    threading.Thread(target=work, args=("was-there",), daemon=True).start()
    threading.Thread(target=be_named, daemon=True).start()
    named.acquire()
    ready()
    go.set()
    threading.Thread(target=work, args=("came-later",), daemon=True).start()
    name_thread("first")
    for _ in range(2):
        named.acquire()
    Path(f"/proc/self/task/{tids[0]}/comm").write_text("by-another")
    again.set()
    named.acquire()
    finished()


main()
