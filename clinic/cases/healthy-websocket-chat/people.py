# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import random

from websockets.asyncio.client import connect


async def read(socket):
    async for _ in socket:
        pass


async def person(number):
    url = f"ws://127.0.0.1:{os.environ['PORT']}/rooms/{number % 6}"
    async with connect(url) as socket:
        reading = asyncio.create_task(read(socket))
        while number % 6 == number // 6 and not reading.done():  # one in ten says something
            await socket.send(f"{number}: hello")
            await asyncio.sleep(random.uniform(0.5, 1.5))
        await reading


async def main():
    await asyncio.gather(*(person(number) for number in range(60)))


asyncio.run(main())
