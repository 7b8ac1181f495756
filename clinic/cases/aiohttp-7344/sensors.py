# SPDX-License-Identifier: Apache-2.0
"""Six sensors that send as fast as they can."""

import asyncio
import json
import os

import aiohttp

READING = json.dumps({"sensor": 1, "values": list(range(40))})


async def sensor(session):
    async with session.ws_connect(f"http://127.0.0.1:{os.environ['PORT']}/ws") as ws:
        while True:
            await ws.send_str(READING)


async def main():
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(sensor(session) for _ in range(6)))


asyncio.run(main())
