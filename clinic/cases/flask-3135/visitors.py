# SPDX-License-Identifier: Apache-2.0
"""Listens to events and leaves before there is one, some twenty times a second."""

import asyncio
import os


async def visitor():
    while True:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", int(os.environ["PORT"]), local_addr=("127.0.62.1", 0)
        )
        writer.write(b"GET /events HTTP/1.1\r\nHost: site\r\n\r\n")
        await asyncio.sleep(0.4)
        writer.close()


async def main():
    await asyncio.gather(*(visitor() for _ in range(8)))


asyncio.run(main())
