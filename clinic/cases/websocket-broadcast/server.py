import asyncio
import os

from aiohttp import web

clients = []


async def updates(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    clients.append(ws)
    async for _ in ws:
        pass
    return ws


async def broadcast():
    while True:
        for ws in list(clients):
            await ws.send_str("x" * 100_000)  # <- cause
        await asyncio.sleep(0.05)


async def background(app):
    task = asyncio.create_task(broadcast())
    yield
    task.cancel()


app = web.Application()
app.cleanup_ctx.append(background)
app.router.add_get("/", updates)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
