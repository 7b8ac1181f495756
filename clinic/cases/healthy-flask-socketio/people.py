# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import random

from websockets.asyncio.client import connect

URL = f"ws://127.0.0.1:{os.environ['PORT']}/socket.io/?EIO=4&transport=websocket"


async def read(socket):
    async for text in socket:
        if text == "2":
            await socket.send("3")


async def person(number):
    async with connect(URL) as socket:
        await socket.recv()
        await socket.send("40")
        await socket.recv()
        reading = asyncio.create_task(read(socket))
        while number < 5 and not reading.done():
            await socket.send(f'42["ask",{number}]')
            await asyncio.sleep(random.uniform(0.2, 0.5))
        await reading


async def main():
    await asyncio.gather(*(person(number) for number in range(40)))


asyncio.run(main())
