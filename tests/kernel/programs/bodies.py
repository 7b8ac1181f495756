"""aiohttp, and clients that send a part of a body; or (argv[1] "fixed") the rest of it, at last."""

import asyncio
import sys

from aiohttp import web
from gate import ready

WRONG = sys.argv[1] == "wrong"
CLIENTS, PAUSE_S = 3, 0.3
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345"


async def upload(request):
    return web.Response(body=await request.read())


async def ask(port):
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD)
        await asyncio.sleep(600 if WRONG else PAUSE_S)
        writer.write(b"67890")
        await reader.readuntil(b"1234567890")
        writer.close()


async def main():
    app = web.Application()
    app.router.add_post("/", upload)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    ready()
    await asyncio.gather(*(ask(port) for _ in range(CLIENTS)))


asyncio.run(main())
