# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from websockets.asyncio.client import connect

URL = f"ws://127.0.74.1:{int(os.environ['PORT']) + 1}/"


async def main():
    last = 0
    async with connect(URL, max_queue=None, max_size=None) as connection:
        while True:
            message = await connection.recv()
            number = int(message[:8])
            if number != last + 1:
                raise ValueError(f"missed a message between {last} and {number}")
            last = number
            await asyncio.sleep(0.5)  # <- handles


asyncio.run(main())
