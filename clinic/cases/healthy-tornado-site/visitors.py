# SPDX-License-Identifier: Apache-2.0
"""Pages, two listeners that come and go, a chat, and an upload of four megabytes now and then."""

import asyncio
import os
import random

from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import websocket_connect

SITE = f"127.0.0.1:{os.environ['PORT']}"
FILM = random.Random(5).randbytes(4_000_000)


async def pages():
    while True:
        await AsyncHTTPClient().fetch(f"http://{SITE}/")
        await asyncio.sleep(random.uniform(0.2, 1))


async def listener():
    while True:
        reader, writer = await asyncio.open_connection(*SITE.split(":"))
        writer.write(b"GET /events HTTP/1.1\r\nHost: site\r\n\r\n")
        for _ in range(random.randrange(3, 9)):
            await reader.readuntil(b"data:")
        writer.close()


async def chat():
    socket = await websocket_connect(f"ws://{SITE}/chat")
    while True:
        await socket.write_message("hello")
        await socket.read_message()
        await asyncio.sleep(0.5)


async def uploads():
    while True:
        await AsyncHTTPClient().fetch(f"http://{SITE}/upload", method="PUT", body=FILM)
        await asyncio.sleep(1.5)


async def main():
    await asyncio.gather(pages(), pages(), listener(), listener(), chat(), uploads())


asyncio.run(main())
