# SPDX-License-Identifier: Apache-2.0
"""An HTTP service that does not know of Expect: 100-continue, and is quick."""

import asyncio
import sys


async def serve(reader, writer):
    try:
        while head := (await reader.readuntil(b"\r\n\r\n")).lower():
            await reader.readexactly(int(head.split(b"content-length:")[1].split()[0]))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    async with await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()


asyncio.run(main())
