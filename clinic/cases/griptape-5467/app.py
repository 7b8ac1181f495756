# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from aiohttp import web


async def work(jobs):
    while True:
        number, done = await jobs.get()
        await asyncio.sleep(0.01)
        done.set_result(1000 // (number - 40))


async def infer(request):
    jobs, done = request.app["jobs"], asyncio.get_running_loop().create_future()
    request.app["count"][0] += 1
    await jobs.put((request.app["count"][0], done))
    return web.json_response(await done)  # <- awaits


async def health(request):
    return web.Response(text="ok")


async def begin(app):
    app["jobs"], app["count"] = asyncio.Queue(), [0]
    app["worker"] = asyncio.create_task(work(app["jobs"]))


app = web.Application()
app.on_startup.append(begin)
app.add_routes([web.get("/infer", infer), web.get("/health", health)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), print=None)
