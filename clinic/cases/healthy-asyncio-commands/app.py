# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
from asyncio.subprocess import PIPE

from aiohttp import web


async def version(request):
    process = await asyncio.create_subprocess_exec("sh", "-c", "uname -a", stdout=PIPE, stderr=PIPE)
    out, _ = await process.communicate()
    return web.Response(body=out)


async def health(request):
    return web.Response(text="ok")


app = web.Application()
app.router.add_get("/version", version)
app.router.add_get("/health", health)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None, access_log=None)
