# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from aiohttp import web

open("pid", "w").write(str(os.getpid()))


async def hook(request):
    child = await asyncio.create_subprocess_exec("sh", "hook.sh", process_group=0)
    return web.Response(text=f"{await child.wait()}")  # <- waits


async def index(request):
    return web.Response(text="ok")


app = web.Application()
app.router.add_get("/hook", hook)
app.router.add_get("/", index)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
