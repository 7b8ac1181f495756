import asyncio
import os

from websockets.asyncio.client import connect


async def client(number):
    async with connect(f"ws://127.0.0.1:{os.environ['PORT']}", ping_interval=5) as ws:
        if number < 5:
            while True:
                await ws.send("hello")
                await ws.recv()
                await asyncio.sleep(0.2)
        async for _ in ws:
            pass


async def main():
    await asyncio.gather(*map(client, range(100)))


asyncio.run(main())
