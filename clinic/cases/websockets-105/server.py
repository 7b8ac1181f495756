# SPDX-License-Identifier: Apache-2.0
"""Sends 64 KB every few milliseconds to whoever is connected."""

import asyncio
import itertools
import os

from websockets.asyncio.server import serve


async def send_a_lot(connection):
    for number in itertools.count(1):
        await connection.send(b"%08d" % number + os.urandom(65536))
        await asyncio.sleep(0.005)


async def main():
    async with serve(send_a_lot, "127.0.74.1", int(os.environ["PORT"]) + 1) as server:
        await server.serve_forever()


asyncio.run(main())
