"""An event loop that is held up in seven ways, so many times each; or by nothing, for so long."""

import asyncio
import ctypes
import functools
import gc
import itertools
import socket
import sys
import threading
import time
from collections import deque

from gate import finished, ready

STALL_S = 0.07
GAP_S = 0.02

ours, theirs = socket.socketpair()
feed, hog = threading.Event(), threading.Event()


def feeder():
    while True:
        feed.wait()
        feed.clear()
        time.sleep(STALL_S)
        theirs.send(b"x")


def hogger(loops):
    while True:
        hog.wait()
        hog.clear()
        sum(itertools.repeat(1, loops))  # LINE gil


def calibrated():
    """Turns of hogger's loop that take twice as long as a stall."""
    start = time.perf_counter()
    sum(itertools.repeat(1, 3_000_000))
    return int(3_000_000 * 2 * STALL_S / (time.perf_counter() - start))


async def compute():
    end = time.perf_counter() + STALL_S
    deque(iter(lambda: time.perf_counter() < end, False), maxlen=0)  # LINE cpu


async def fill():
    end = time.perf_counter() + STALL_S
    while time.perf_counter() < end:
        ctypes.memset(block, 1, len(block))  # LINE native


async def change():
    """Most of it in the C library, and the end in the interpreter's own code."""
    middle, end = (now() + share * STALL_S for share in (0.75, 1))
    deque(iter(lambda: (either[now() > middle](), now() < end)[1], False), maxlen=0)  # LINE mixed


async def receive():
    feed.set()
    ours.recv(1)  # LINE recv


async def nap():
    time.sleep(STALL_S)  # LINE sleep


async def collect():
    end = time.perf_counter() + STALL_S
    while time.perf_counter() < end:
        gc.collect()  # LINE gc


async def want_gil():
    hog.set()
    await asyncio.sleep(GAP_S)


async def hold_up(times):
    for _ in range(times):
        for way in (compute, fill, change, receive, nap, collect, want_gil):
            await way()
            await asyncio.sleep(GAP_S)


async def healthy(seconds):
    async def echo(reader, writer):
        while data := await reader.readline():
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        writer.write(b"hello\n")
        await reader.readline()
        await asyncio.sleep(0.002)
    writer.close()


block = ctypes.create_string_buffer(1 << 22)
either = (
    functools.partial(ctypes.memset, block, 1, len(block)),
    functools.partial(sum, range(9_999)),
)
now = time.perf_counter
alive = [[number] for number in range(50_000)]
threading.Thread(target=feeder, daemon=True).start()
threading.Thread(target=hogger, args=(calibrated(),), daemon=True).start()
work = hold_up(int(sys.argv[2])) if sys.argv[1] == "hold_up" else healthy(float(sys.argv[2]))
ready()
asyncio.run(work)
finished()
