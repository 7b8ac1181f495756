# SPDX-License-Identifier: Apache-2.0
"""shop_site.py PORT: an endless shop; each page has ten articles and links to ten pages."""

import asyncio
import random
import sys


async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.02)
            pages = (random.randrange(10**9) for _ in range(10))
            links = "".join(f'<li><a href="/{page}">{page}</a></li>' for page in pages)
            body = f"<html><body><ul>{links}</ul></body></html>".encode()
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % len(body) + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    async with server:
        await server.serve_forever()


asyncio.run(main())
