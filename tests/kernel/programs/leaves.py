"""aiohttp, and clients that ask and hang up; argv[1] "fixed": their handlers are cancelled."""

import asyncio
import sys

from aiohttp import web
from gate import ready

FIXED = sys.argv[1] == "fixed"
CLIENTS, PATIENCE_S = 7, 0.3
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def slow(request):
    await asyncio.sleep(600)
    return web.Response(text="late")


async def ask(port):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD)
    await asyncio.sleep(PATIENCE_S)
    writer.close()


async def main():
    app = web.Application()
    app.router.add_get("/", slow)
    runner = web.AppRunner(app, handler_cancellation=FIXED)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    ready()
    await asyncio.gather(*(ask(port) for _ in range(CLIENTS)))
    await asyncio.sleep(600)


asyncio.run(main())
