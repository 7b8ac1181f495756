# SPDX-License-Identifier: Apache-2.0
"""One that says hello and goes, as a browser tab that is closed, and one that stays and asks."""

import asyncio
import os
import time

from websockets.asyncio.client import connect

URL = f"ws://127.0.0.1:{os.environ['PORT']}"


async def stays():
    async with connect(URL, ping_interval=None) as socket:
        while True:
            asked = time.monotonic()
            await socket.send("again")
            await socket.recv()
            print(f"{time.monotonic() - asked:.2f} s", flush=True)
            await asyncio.sleep(0.2)


async def main():
    task = asyncio.create_task(stays())
    await asyncio.sleep(1)
    async with connect(URL, ping_interval=None) as socket:
        await socket.send("hello")
        print(await socket.recv(), flush=True)
    open("gone", "w").close()
    await task


asyncio.run(main())
