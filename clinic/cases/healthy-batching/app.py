# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

import aiosqlite
from aiohttp import web


async def work(jobs):
    while True:
        batch = [await jobs.get()]
        await asyncio.sleep(0.005)
        while not jobs.empty():
            batch.append(jobs.get_nowait())
        for done in batch:
            done.set_result(len(batch))


async def infer(request):
    done = asyncio.get_running_loop().create_future()
    await request.app["jobs"].put(done)
    return web.json_response(await done)


async def convert(request):
    child = await asyncio.create_subprocess_exec("true")
    return web.json_response(await child.wait())


async def rows(request):
    async with request.app["db"].execute("SELECT 1") as cursor:
        return web.json_response(len(await cursor.fetchall()))


async def begin(app):
    app["jobs"] = asyncio.Queue()
    app["db"] = await aiosqlite.connect(":memory:")
    app["worker"] = asyncio.create_task(work(app["jobs"]))


app = web.Application()
app.on_startup.append(begin)
app.add_routes([web.get("/infer", infer), web.get("/convert", convert), web.get("/rows", rows)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
