# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import aiohttp

CARRIERS = f"http://127.0.84.1:{int(os.environ['PORT']) + 1}/carrier"


async def carrier(session, number):
    try:
        async with session.get(CARRIERS, params={"number": number}) as answer:  # <- asks
            return await answer.text()
    except asyncio.TimeoutError:
        return None


async def main():
    timeout = aiohttp.ClientTimeout(total=3)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            found = await asyncio.gather(*(carrier(session, number) for number in range(500)))
            print(found.count(None), "timed out", flush=True)


asyncio.run(main())
