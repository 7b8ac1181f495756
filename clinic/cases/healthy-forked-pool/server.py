# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import time
from concurrent.futures import ProcessPoolExecutor

from aiohttp import web

executor = ProcessPoolExecutor(2)


def thumbnail():
    until = time.thread_time() + 0.01
    while time.thread_time() < until:
        pass
    return b"x" * 1000


async def image(request):
    return web.Response(body=await asyncio.get_running_loop().run_in_executor(executor, thumbnail))


async def index(request):
    return web.Response(text="pictures")


app = web.Application()
app.add_routes([web.get("/image", image), web.get("/", index)])
web.run_app(app, port=int(os.environ["PORT"]), print=None, keepalive_timeout=1)
