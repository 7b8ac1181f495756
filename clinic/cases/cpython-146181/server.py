# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import time

from aiohttp import web


def limit() -> None:
    """What runs before exec: here it takes as long as on a host with a slow disk."""
    os.nice(5)
    time.sleep(0.3)


async def convert(request: web.Request) -> web.Response:
    child = await asyncio.create_subprocess_exec("/bin/true", preexec_fn=limit)  # <- starts
    return web.Response(text=f"{await child.wait()}\n")


async def health(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


app = web.Application()
app.router.add_get("/convert", convert)
app.router.add_get("/health", health)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
