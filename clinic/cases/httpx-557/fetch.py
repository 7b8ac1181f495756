# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import httpx

URL = f"http://127.0.73.1:{int(os.environ['PORT']) + 1}/"


async def fetch(client, number):
    try:
        return (await client.get(URL, params={"page": number})).status_code  # <- asks
    except httpx.PoolTimeout:
        return "PoolTimeout"


async def main():
    limits = httpx.Limits(max_connections=10)
    async with httpx.AsyncClient(limits=limits, timeout=5) as client:
        while True:
            codes = await asyncio.gather(*(fetch(client, number) for number in range(200)))
            print({code: codes.count(code) for code in codes}, flush=True)


asyncio.run(main())
