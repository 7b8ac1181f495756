# SPDX-License-Identifier: Apache-2.0
"""A proxy that keeps 16 connections to the server, and has little to ask."""

import asyncio
import os


async def connection(number):
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", os.environ["PORT"], local_addr=("127.0.92.1", 0)
    )
    await asyncio.sleep(number / 4)
    while True:
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\nok")
        await asyncio.sleep(4)


async def main():
    await asyncio.gather(*(connection(number) for number in range(16)))


asyncio.run(main())
