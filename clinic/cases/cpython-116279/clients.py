# SPDX-License-Identifier: Apache-2.0
"""Subscribers: nine read all that comes, one (127.0.22.1) reads nothing."""

import asyncio
import os


async def client(address, reads):
    reader, _ = await asyncio.open_connection(
        "127.0.0.1", int(os.environ["PORT"]), local_addr=(address, 0)
    )
    while await reader.read(65_536) if reads else True:
        if not reads:
            await asyncio.sleep(1)


async def main():
    quick = (client("127.0.0.1", True) for _ in range(9))
    await asyncio.gather(client("127.0.22.1", False), *quick)


asyncio.run(main())
