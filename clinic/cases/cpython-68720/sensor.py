# SPDX-License-Identifier: Apache-2.0
"""Sends a reading each 0.7 s to whoever is connected."""

import asyncio
import os


async def readings(reader, writer):
    while True:
        writer.write(b"21.5\n")
        await writer.drain()
        await asyncio.sleep(0.7)


async def main():
    port = int(os.environ["PORT"]) + 1
    async with await asyncio.start_server(readings, "127.0.71.1", port) as server:
        await server.serve_forever()


asyncio.run(main())
