# SPDX-License-Identifier: Apache-2.0
"""Players of a video: each takes 64 KB every 0.1 s."""

import asyncio
import os


async def player():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PORT"]))
    writer.write(b"GET /video HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while await reader.read(65_536):
        await asyncio.sleep(0.1)


async def main():
    await asyncio.gather(*(player() for _ in range(3)))


asyncio.run(main())
