# SPDX-License-Identifier: Apache-2.0
"""Asks for all parts, again and again; prints when each message is there."""

import asyncio
import os
import time

from websockets.asyncio.client import connect


async def main():
    async with connect(f"ws://127.0.0.1:{os.environ['PORT']}") as ws:
        while True:
            await ws.send("picture")
            asked = time.monotonic()
            message = ""
            while message != "end":
                message = await ws.recv()
                print(f"{time.monotonic() - asked:.2f} s: {message}", flush=True)
            await asyncio.sleep(0.2)


asyncio.run(main())
