# SPDX-License-Identifier: Apache-2.0
"""People who chat, come and go, and send a picture now and then."""

import asyncio
import os
import random

import aiohttp

SITE = f"http://127.0.0.1:{os.environ['PORT']}"


async def person(session):
    while True:
        async with session.ws_connect(f"{SITE}/chat") as ws:
            for _ in range(random.randrange(3, 12)):
                await ws.send_str("hello")
                await ws.receive(timeout=5)
                await asyncio.sleep(random.uniform(0.1, 0.6))


async def photographer(session):
    while True:
        async with session.post(f"{SITE}/pictures", data=os.urandom(600_000)) as answer:
            await answer.read()
        await asyncio.sleep(0.7)


async def main():
    async with aiohttp.ClientSession() as session:
        people = [person(session) for _ in range(8)]
        await asyncio.gather(*people, photographer(session))


asyncio.run(main())
