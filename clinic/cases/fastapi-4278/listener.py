# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import sys

import websockets


async def main():
    url = f"ws://127.0.0.1:{os.environ['PORT']}/ws/{sys.argv[1]}"
    async with websockets.connect(url, ping_interval=None) as socket:
        await socket.send("begin")
        async for said in socket:
            print(sys.argv[1], said, flush=True)


asyncio.run(main())
