# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import os

from aiohttp import web

sums = {}


async def messages(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    async for message in ws:
        said = json.loads(message.data)
        sums[said["sensor"]] = sum(v * v for v in said["values"])  # <- handles
    return ws


async def index(request):
    return web.json_response(len(sums))


async def report():
    while True:
        await asyncio.sleep(0.2)
        print(len(sums), flush=True)


async def main():
    app = web.Application()
    app.add_routes([web.get("/ws", messages), web.get("/", index)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
    await report()


asyncio.run(main())
