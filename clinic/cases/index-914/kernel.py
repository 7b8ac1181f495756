# SPDX-License-Identifier: Apache-2.0
"""Runs the jobs that it is sent, each in a task of its own."""

import asyncio
import os

from aiohttp import web


async def execute(request):
    command = await asyncio.create_subprocess_shell(
        await request.text(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await command.communicate()  # <- waits
    return web.Response(body=output)


async def alive(request):
    return web.Response(text="idle")


app = web.Application()
app.add_routes([web.post("/", execute), web.get("/", alive)])
web.run_app(app, port=int(os.environ["PORT"]), print=None)
