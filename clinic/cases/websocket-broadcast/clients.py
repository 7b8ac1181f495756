"""Ten clients that read, and one, from 127.0.3.3, that does not."""

import asyncio
import os

import aiohttp

URL = f"http://127.0.0.1:{os.environ['PORT']}/"


async def reader(session):
    async with session.ws_connect(URL, max_msg_size=0) as ws:
        async for _ in ws:
            pass


async def main():
    async with aiohttp.ClientSession() as session:
        readers = [asyncio.create_task(reader(session)) for _ in range(10)]
        await asyncio.sleep(1)
        there = aiohttp.TCPConnector(local_addr=("127.0.3.3", 0))
        async with aiohttp.ClientSession(connector=there) as other:
            ws = await other.ws_connect(URL, max_msg_size=0)
            ws._response.connection.transport.pause_reading()
            await asyncio.gather(*readers)


asyncio.run(main())
