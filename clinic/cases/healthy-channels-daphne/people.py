# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import random

from websockets.asyncio.client import connect


async def read(socket):
    async for _ in socket:
        pass


async def person(speaks):
    async with connect(f"ws://127.0.0.1:{os.environ['PORT']}/chat") as socket:
        reading = asyncio.create_task(read(socket))
        while speaks and not reading.done():
            await socket.send('"hello"')
            await asyncio.sleep(random.uniform(1, 2))
        await reading


async def main():
    await asyncio.gather(*(person(number < 3) for number in range(20)))


asyncio.run(main())
