# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import random

import aiofiles
from aiohttp import web


async def file(request):
    path = f"folders/{random.randrange(1000)}.txt"
    async with aiofiles.open(path, "rb") as source:  # <- opens
        return web.Response(body=await source.read())


async def logo(request):
    return web.Response(text=await asyncio.to_thread(str, "logo"))


app = web.Application()
app.router.add_get("/file", file)
app.router.add_get("/logo", logo)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
