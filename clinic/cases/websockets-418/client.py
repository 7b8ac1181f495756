# SPDX-License-Identifier: Apache-2.0
"""Sends what sensors measure; what the server says to it is not of interest."""

import asyncio
import os

from websockets.asyncio.client import connect


async def main() -> None:
    async with connect(f"ws://127.0.46.1:{os.environ['PORT']}") as server:
        number = 0
        while True:
            number += 1
            await server.send(f"sensor {number} " + "x" * 2000)  # <- sends
            if number % 1000 == 0:
                print(number, flush=True)


asyncio.run(main())
