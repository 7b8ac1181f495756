# SPDX-License-Identifier: Apache-2.0
"""An echo server, as the example of a graceful shutdown was."""

import asyncio
import os

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed


async def echo(websocket):
    while True:  # <- spins
        try:
            message = await websocket.recv()  # <- spins
        except ConnectionClosed:  # <- spins
            pass  # <- spins
        else:
            await websocket.send(message)


async def main():
    async with serve(echo, "127.0.0.1", int(os.environ["PORT"])):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
