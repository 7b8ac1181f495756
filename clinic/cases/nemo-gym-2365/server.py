# SPDX-License-Identifier: Apache-2.0
import os

import aiohttp
from aiohttp import web


async def index(request):
    session = request.app["session"]
    async with session.get("http://10.77.4.2:8000/run") as answer:  # <- asks
        return web.Response(text=await answer.text())


async def with_session(app):
    app["session"] = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout())
    yield
    await app["session"].close()


app = web.Application()
app.router.add_get("/", index)
app.cleanup_ctx.append(with_session)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
