# SPDX-License-Identifier: Apache-2.0
"""Visitors who stay connected for a while, and go before the server closes their connection."""

import asyncio
import os

ASKS = b"GET /image HTTP/1.1\r\nHost: here\r\n\r\n"


async def visitor():
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PORT"]))
        for _ in range(4):
            writer.write(ASKS)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split()[0]))
            await asyncio.sleep(0.3)
        writer.close()


async def main():
    await asyncio.gather(*(visitor() for _ in range(4)))


asyncio.run(main())
