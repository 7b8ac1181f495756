# SPDX-License-Identifier: Apache-2.0
"""Confirms each measurement by sending it back."""

import asyncio
import os

from websockets.asyncio.server import serve


async def confirm(client) -> None:
    async for measured in client:
        await client.send(measured)


async def main() -> None:
    async with serve(confirm, "127.0.46.1", int(os.environ["PORT"]), compression=None) as server:
        await server.serve_forever()


asyncio.run(main())
