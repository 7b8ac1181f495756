# SPDX-License-Identifier: Apache-2.0
"""The other service: it answers at once, by HTTPS."""

import asyncio
import os
import ssl


async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("stock.pem", "stock.key")
    server = await asyncio.start_server(
        serve, "127.0.0.1", int(os.environ["PORT"]) + 1, ssl=context, backlog=500
    )
    async with server:
        await server.serve_forever()


asyncio.run(main())
