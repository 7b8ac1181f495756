# SPDX-License-Identifier: Apache-2.0
"""stock.py ADDRESS PORT: takes 0.1 s of its one worker for each answer, one after the other."""

import asyncio
import sys

busy = asyncio.Lock()


async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            async with busy:
                await asyncio.sleep(0.1)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]), backlog=500)
    async with server:
        await server.serve_forever()


asyncio.run(main())
