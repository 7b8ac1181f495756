# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import aiohttp

URL = f"http://chat.hangouts.test:{os.environ['PORT']}/send"


async def send(text):
    async with (  # <- asks
        aiohttp.ClientSession() as session,
        session.get(URL, params={"t": text}) as answer,
    ):  # <- asks
        return await answer.text()


async def main():
    number = 0
    while True:
        await send(f"message {number}")  # <- asks
        number += 1


asyncio.run(main())
