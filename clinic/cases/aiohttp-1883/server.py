# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import time
from concurrent.futures import ProcessPoolExecutor

from aiohttp import web

executor = ProcessPoolExecutor(2)


def report():
    time.sleep(60)  # what a long report waits for


async def start(request):
    asyncio.get_running_loop().run_in_executor(executor, report)  # <- starts
    return web.Response(text="started")


async def status(request):
    return web.Response(text="still at work")


app = web.Application()
app.add_routes([web.post("/start", start), web.get("/status", status)])
web.run_app(app, port=int(os.environ["PORT"]), print=None, keepalive_timeout=1)
