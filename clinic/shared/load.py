# SPDX-License-Identifier: Apache-2.0
"""load.py CLIENTS PAUSE URL: keep-alive HTTP clients; each asks, reads the answer and pauses."""

import asyncio
import sys
from urllib.parse import urlsplit


async def one_connection(url, pause):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        while True:
            writer.write(f"GET {path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b"content-length:" in head:
                await reader.readexactly(int(head.split(b"content-length:")[1].split()[0]))
            elif b"chunked" in head:
                while size := int(await reader.readuntil(b"\r\n"), 16):
                    await reader.readexactly(size + 2)
                await reader.readexactly(2)
            else:
                await reader.read()
                return
            await asyncio.sleep(pause)
            if b"connection: close" in head:
                return
    finally:
        writer.close()


async def client(url, pause):
    while True:
        try:
            await one_connection(url, pause)
        except (OSError, EOFError):
            await asyncio.sleep(0.2)


async def main():
    clients, pause, url = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    await asyncio.gather(*(client(url, pause) for _ in range(clients)))


asyncio.run(main())
