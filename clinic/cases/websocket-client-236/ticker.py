# SPDX-License-Identifier: Apache-2.0
"""Sends prices, and ends connections of those who do not answer pings."""

import asyncio
import os

from websockets.asyncio.server import serve


async def tell(client) -> None:
    number = 0
    while True:
        number += 1
        await client.send(f"price {number}")
        await asyncio.sleep(0.5)


async def main() -> None:
    async with serve(
        tell, "127.0.52.1", int(os.environ["PORT"]), ping_interval=1, ping_timeout=1
    ) as server:
        await server.serve_forever()


asyncio.run(main())
