# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import time

import httpx

URL = f"http://127.0.108.1:{os.environ['WEB']}/price"


async def item(client, took):
    while True:
        began = time.monotonic()
        await client.get(URL)  # <- asks
        took.append(time.monotonic() - began)


async def told(took):
    while True:
        await asyncio.sleep(1)
        print(len(took), "requests, slowest", f"{max(took, default=0):.3f} s", flush=True)
        took.clear()


async def main():
    took = []
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        await asyncio.gather(told(took), *(item(client, took) for _ in range(200)))


asyncio.run(main())
