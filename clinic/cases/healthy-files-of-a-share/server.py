# SPDX-License-Identifier: Apache-2.0
import os
import random

import aiofiles
from aiohttp import web


async def file(request):
    async with aiofiles.open(f"share/{random.randrange(1000)}.txt", "rb") as source:
        return web.Response(body=await source.read())


app = web.Application()
app.router.add_get("/", file)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
