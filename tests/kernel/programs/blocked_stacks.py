"""Threads that sleep for good, each at a known line; says when all of them do."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import socket
import threading
import time

try:
    import greenlet
except ImportError:
    greenlet = None

left, right = socket.socketpair()
ready = threading.Semaphore(0)


def receive():
    ready.release()
    left.recv(1)  # LINE receive


def deep(level):
    if level:
        return deep(level - 1)  # LINE deep
    return receive()


def generate():
    ready.release()
    yield queue.Queue().get()  # LINE generate


class Worker:
    def run(self):
        return [sum(()) for _ in generate()]


def greenlets():
    """Sleeps in a greenlet that has given way once, whose parent is one too."""

    def inner():
        greenlet.getcurrent().parent.switch()
        ready.release()
        time.sleep(9999)  # LINE greenlet

    def outer():
        child = greenlet.greenlet(inner)
        child.switch()
        child.switch()

    greenlet.greenlet(outer).switch()


async def leaf():
    time.sleep(9999)  # LINE leaf


async def middle():
    await leaf()  # LINE middle


async def main():
    await asyncio.gather(middle())


threads = [
    threading.Thread(target=deep, args=(5,), daemon=True),
    threading.Thread(target=Worker().run, daemon=True),
]
if greenlet:
    threads.append(threading.Thread(target=greenlets, daemon=True))
for thread in threads:
    thread.start()
for _ in threads:
    ready.acquire()
print(json.dumps({"pid": os.getpid(), "threads": 1 + len(threads)}), flush=True)
asyncio.run(main())
