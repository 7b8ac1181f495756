# SPDX-License-Identifier: Apache-2.0
"""search.py ADDRESS PORT: an HTTPS service that answers after 50 ms."""

import asyncio
import ssl
import sys


async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.05)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("cert.pem", "key.pem")
    where = sys.argv[1], int(sys.argv[2])
    async with await asyncio.start_server(serve, *where, backlog=500, ssl=context) as server:
        await server.serve_forever()


asyncio.run(main())
