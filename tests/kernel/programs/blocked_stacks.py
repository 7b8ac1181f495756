"""Threads that sleep for good, each at a known line; says when all of them do."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import socket
import sys
import threading
import time

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
    try:
        import greenlet
    except ImportError:
        return

    def inner():
        ready.release()
        time.sleep(9999)  # LINE greenlet

    greenlet.greenlet(lambda: greenlet.greenlet(inner).switch()).switch()


async def leaf():
    time.sleep(9999)  # LINE leaf


async def middle():
    await leaf()  # LINE middle


async def main():
    await asyncio.gather(middle())


def announce():
    for _ in range(2):
        ready.acquire()
    print(json.dumps({"pid": os.getpid(), "python": sys.version_info[:2]}), flush=True)


threading.Thread(target=deep, args=(5,), daemon=True).start()
threading.Thread(target=Worker().run, daemon=True).start()
threading.Thread(target=greenlets, daemon=True).start()
announce()
asyncio.run(main())
