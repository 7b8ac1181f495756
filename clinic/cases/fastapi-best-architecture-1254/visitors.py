# SPDX-License-Identifier: Apache-2.0
"""40 visitors at a time, each of them new."""

import asyncio
import itertools
import os

PORT = int(os.environ["PORT"])
numbers = itertools.count()


async def visitor():
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    while True:
        writer.write(f"GET /?user={next(numbers)} HTTP/1.1\r\nHost: site\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length:")[1].split()[0]))
        await asyncio.sleep(0.02)


async def main():
    await asyncio.gather(*(visitor() for _ in range(40)))


asyncio.run(main())
