# SPDX-License-Identifier: Apache-2.0
import asyncio
import gc
import os
from collections.abc import AsyncIterator

from aiohttp import web

gc.disable()
field = [{"at": (number, number), "seen": [number]} for number in range(1_200_000)]
position = [0.0, 0.0]


async def collect() -> None:
    while True:
        await asyncio.sleep(2)
        gc.collect()  # <- collects


async def drive() -> None:
    while True:
        position[0] += 0.01
        await asyncio.sleep(0.01)


async def where(request: web.Request) -> web.Response:
    return web.json_response(position)


async def tasks(app: web.Application) -> AsyncIterator[None]:
    running = [asyncio.create_task(one()) for one in (collect, drive)]
    yield
    for one in running:
        one.cancel()


app = web.Application()
app.cleanup_ctx.append(tasks)
app.router.add_get("/position", where)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None)
