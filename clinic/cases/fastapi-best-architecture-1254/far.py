# SPDX-License-Identifier: Apache-2.0
"""far.py ADDRESS PORT REDIS: Redis in another zone: each answer comes 15 ms later."""

import asyncio
import sys


async def pump(reader, writer, delay):
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


async def serve(reader, writer):
    near = await asyncio.open_connection("127.0.0.1", int(sys.argv[3]))
    await asyncio.gather(pump(reader, near[1], 0), pump(near[0], writer, 0.015))


async def main():
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]), backlog=500)
    async with server:
        await server.serve_forever()


asyncio.run(main())
