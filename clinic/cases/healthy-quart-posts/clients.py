# SPDX-License-Identifier: Apache-2.0
"""Eight clients that keep their connection and send a message twenty times a second each, and
one that makes a new connection for each."""

import asyncio
import os

BODY = b"x" * 199


async def asked(reader, writer, more=b""):
    writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 199\r\n" + more + b"\r\n" + BODY)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.split(b"content-length:")[1].split()[0]))


async def connected():
    return await asyncio.open_connection("127.0.0.1", os.environ["PORT"])


async def keeps():
    reader, writer = await connected()
    while True:
        await asked(reader, writer)
        await asyncio.sleep(0.05)


async def makes_new():
    while True:
        reader, writer = await connected()
        await asked(reader, writer, b"Connection: close\r\n")
        writer.close()
        await asyncio.sleep(0.5)


async def main():
    await asyncio.gather(*(keeps() for _ in range(8)), makes_new())


asyncio.run(main())
