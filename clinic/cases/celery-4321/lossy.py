# SPDX-License-Identifier: Apache-2.0
"""lossy.py ADDRESS PORT DB: passes all on, until a message is large: of that the first part gets
through, and nothing more on that connection, which stays open."""

import asyncio
import sys

SIZE = 4096


async def passed(reader, writer, lossy):
    while data := await reader.read(SIZE):
        writer.write(data)
        await writer.drain()
        if lossy and len(data) == SIZE:
            open("stalled", "w").close()
            await asyncio.Event().wait()


async def served(reader, writer):
    back, to = await asyncio.open_connection("127.0.0.1", int(sys.argv[3]))
    await asyncio.gather(passed(reader, to, False), passed(back, writer, True))


async def main():
    server = await asyncio.start_server(served, sys.argv[1], int(sys.argv[2]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
