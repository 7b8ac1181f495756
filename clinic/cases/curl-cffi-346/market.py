# SPDX-License-Identifier: Apache-2.0
"""The other side: three small messages a second to each subscriber."""

import asyncio
import os

import websockets


async def subscriber(socket):
    while True:
        await socket.send('{"type": "update", "events": [], "price": "3012.40"}')
        await asyncio.sleep(0.33)


async def main():
    async with websockets.serve(subscriber, "127.0.109.1", int(os.environ["WEB"])):
        await asyncio.Future()


asyncio.run(main())
