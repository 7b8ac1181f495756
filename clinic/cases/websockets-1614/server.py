# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import uvloop
from websockets.asyncio.server import serve


def render(number):
    return sum(i * i % 7 for i in range(8_000_000 + number))  # <- computes


async def parts(ws):
    async for request in ws:
        await ws.send(f"{request}: begins")
        for number in range(3):
            await ws.send(f"part {number}: {render(number)}")
        await ws.send("end")


async def main():
    async with serve(parts, "127.0.0.1", int(os.environ["PORT"])):
        await asyncio.get_running_loop().create_future()


uvloop.run(main())
