"""An asyncio server whose named tasks block, compute, and answer late; a client of its own.

Goes on until it is ended. Prints its pid once it serves. Argument: "uvloop" to run on that.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sys
import threading
import time

BLOCKED, COMPUTED = 0.08, 0.12
SILENT, _OTHER = socket.socketpair()


def blocks():
    SILENT.settimeout(BLOCKED)
    with contextlib.suppress(TimeoutError):
        SILENT.recv(1)


def computes():
    until = time.thread_time() + COMPUTED
    while time.thread_time() < until:
        pass


async def leaf(work):
    work()


async def middle(work, name):
    await asyncio.create_task(leaf(work), name=name)


async def outer():
    while True:
        await asyncio.gather(asyncio.create_task(middle(blocks, "blocker"), name="gathered"))
        await asyncio.create_task(middle(computes, "computer"), name="awaited")
        await asyncio.sleep(0.01)


async def answers(reader, writer):
    asyncio.current_task().set_name("answerer")
    while await reader.readline():
        writer.write(b"answer\n")
        await writer.drain()


def asks(port):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while True:
            connection.sendall(b"question\n")
            connection.recv(100)


async def main():
    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    threading.Thread(target=asks, args=(port,), daemon=True).start()
    print(json.dumps({"pid": os.getpid()}), flush=True)
    await asyncio.create_task(outer(), name="outer")


if "uvloop" in sys.argv:
    import uvloop

    uvloop.install()
asyncio.run(main())
