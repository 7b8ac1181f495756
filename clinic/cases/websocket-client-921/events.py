# SPDX-License-Identifier: Apache-2.0
"""The other side: a message of some megabytes of JSON every second."""

import asyncio
import json
import os

import websockets

BATCH = json.dumps([{"id": n, "name": f"item {n}", "price": n * 0.05} for n in range(60_000)])


async def subscriber(socket):
    while True:
        await socket.send(BATCH)
        await asyncio.sleep(1)


async def main():
    async with websockets.serve(
        subscriber, "127.0.110.1", int(os.environ["WEB"]), compression=None, ping_timeout=None
    ):
        await asyncio.Future()


asyncio.run(main())
