# SPDX-License-Identifier: Apache-2.0
"""A nightly report that asks the application itself, without a server between."""

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route


def rows():
    for number in range(100):
        yield f"{number},{number * number}\n"


async def table(request):
    return StreamingResponse(rows())  # <- streams


app = Starlette(routes=[Route("/table", table)])


async def heartbeat():
    while True:
        print("alive", flush=True)
        await asyncio.sleep(0.5)


async def main():
    beat = asyncio.create_task(heartbeat())
    await asyncio.sleep(1)
    print("asks", flush=True)
    async with httpx.AsyncClient(app=app) as client:
        response = await client.get("http://report.local/table")  # <- asks
    print(len(response.text), flush=True)
    beat.cancel()


asyncio.run(main())
