# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import random

from aiohttp import web

random.seed(1)
STATIONS = [
    {
        "id": n,
        "lat": random.random(),
        "lon": random.random(),
        "rain": [random.random() for _ in range(9)],
    }
    for n in range(12_000)
]


async def weather(request):
    await asyncio.sleep(0.05)
    response = web.json_response(STATIONS)
    response.enable_compression()
    return response


async def health(request):
    return web.Response(text="ok")


app = web.Application()
app.add_routes([web.get("/weather", weather), web.get("/health", health)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
