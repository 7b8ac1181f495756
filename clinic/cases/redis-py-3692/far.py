# SPDX-License-Identifier: Apache-2.0
"""far.py ADDRESS PORT DB: Redis at the end of a long way, that takes its time to greet, and behind
a balancer that ends connections after a few commands."""

import asyncio
import sys

FEW, GREETING_S = 4, 0.08


async def served(reader, writer):
    back, to = await asyncio.open_connection("127.0.0.1", int(sys.argv[3]))
    await asyncio.sleep(GREETING_S)
    for number in range(FEW):
        data = await reader.read(65536)
        if not data:
            break
        to.write(data)
        writer.write(await back.read(65536))
    to.close()
    writer.close()


async def main():
    server = await asyncio.start_server(served, sys.argv[1], int(sys.argv[2]), backlog=200)
    async with server:
        await server.serve_forever()


asyncio.run(main())
