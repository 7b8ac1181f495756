"""Asyncio tasks that await in every way, and the truth about them from inside: one line of JSON.

Arguments: how many more tasks; "uvloop" to run on that.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import socket
import sys
import time

SECONDS = 1000


class Context:
    def __init__(self, event: asyncio.Event) -> None:
        self.event = event

    async def __aenter__(self) -> None:
        await self.event.wait()

    async def __aexit__(self, *_: object) -> None:
        pass


class Awaitable:
    def __init__(self, event: asyncio.Event) -> None:
        self.event = event

    def __await__(self):
        return (yield from self.event.wait().__await__())


async def leaf(event):
    await event.wait()


async def middle(event):
    numbers = (number for number in range(3))
    for _ in numbers:  # an iterator below what is awaited
        await leaf(
            event,
        )


async def generates(event):
    yield 1
    await event.wait()
    yield 2


async def iterates(event):
    async for _ in generates(event):
        pass


async def enters(event):
    async with Context(event):
        pass


async def awaits_object(event):
    await Awaitable(event)


async def gathers(event):
    await asyncio.gather(leaf(event), middle(event))


async def groups(event):
    async with asyncio.TaskGroup() as group:
        group.create_task(middle(event), name="in group")


async def joins(task):
    await task


async def waits(tasks):
    await asyncio.wait(tasks)


async def receives(sock):
    await asyncio.get_running_loop().sock_recv(sock, 10)


async def sleeps():
    await asyncio.sleep(SECONDS)


async def spins():
    while True:
        await asyncio.sleep(0.003)


async def reads(reader):
    return await reader.readexactly(100)


async def handle(reader, _writer):
    asyncio.current_task().set_name("handler")
    await reads(reader)


def chain_of(coroutine):
    """[function, line] of each frame, the outermost first."""
    found = []
    while coroutine is not None:
        for kind in ("cr", "gi", "ag"):
            if hasattr(coroutine, f"{kind}_frame"):
                frame = getattr(coroutine, f"{kind}_frame")
                found.append([frame.f_code.co_name, frame.f_lineno])
                following = "gi_yieldfrom" if kind == "gi" else f"{kind}_await"
                coroutine = getattr(coroutine, following)
                break
        else:  # a wrapper of one, or the end
            inner = gc.get_referents(coroutine)
            inside = [
                one for one in inner if "coroutine" in str(type(one)) or hasattr(one, "ag_frame")
            ]
            coroutine = inside[0] if inside and "Future" not in str(type(coroutine)) else None
    return found


async def main(more):
    event = asyncio.Event()
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    reader, _writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    def begin(coroutine, name):
        return asyncio.get_running_loop().create_task(coroutine, name=name)

    slept_ns = time.monotonic_ns()
    tasks = [
        begin(reads(reader), "reader"),
        begin(middle(event), "middle"),
        begin(iterates(event), "iterates"),
        begin(enters(event), "enters"),
        begin(awaits_object(event), "awaits object"),
        begin(gathers(event), "gathers"),
        begin(sleeps(), "sleeps"),
        begin(spins(), "spins"),
        begin(sleeps(), "\x1b[31m\u202e\n" + "x" * (1 << 20)),
    ]
    if "uvloop" not in sys.argv:  # its sock_recv is no coroutine of Python's
        tasks.append(begin(receives(ours), "receives"))
    tasks += [begin(joins(tasks[1]), "joins"), begin(waits(tasks[1:3]), "waits")]
    if sys.version_info >= (3, 11):
        tasks.append(begin(groups(event), "groups"))
    tasks += [begin(middle(event), f"more {number}") for number in range(more)]
    while len(asyncio.all_tasks()) < len(tasks) + 4 + (sys.version_info >= (3, 11)):
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)
    everyone = {one.get_name(): one for one in asyncio.all_tasks()}
    own = asyncio.current_task().get_name()
    connection = reader._transport.get_extra_info("socket")
    facts = {
        "pid": os.getpid(),
        "chains": {
            name: chain_of(one.get_coro())
            for name, one in everyone.items()
            if name not in (own, "spins") and not name.startswith("more")
        },
        "main": own,
        "descriptors": {"reader": connection.fileno(), "receives": ours.fileno()},
        "peer": ":".join(map(str, connection.getpeername())),
        "slept_ns": slept_ns,
        "theirs": theirs.fileno(),
    }
    print(json.dumps(facts), flush=True)
    await asyncio.gather(*tasks)


if "uvloop" in sys.argv:
    import uvloop

    uvloop.install()
with contextlib.suppress(KeyboardInterrupt):
    asyncio.run(main(int(sys.argv[1])))
