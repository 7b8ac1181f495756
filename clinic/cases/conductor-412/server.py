# SPDX-License-Identifier: Apache-2.0
"""server.py ADDRESS PORT: a Conductor server that has no tasks. What lies between it and the
worker forgets connections after 4 s, as load balancers do, and tells nobody."""

import asyncio
import sys
import time


async def serve(reader, writer):
    since = time.monotonic()
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            if b"content-length:" in (low := head.lower()):
                await reader.readexactly(int(low.split(b"content-length:")[1].split()[0]))
            if time.monotonic() - since > 4 and b"/poll/" in head:
                print("lost", flush=True)
                await asyncio.Event().wait()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
