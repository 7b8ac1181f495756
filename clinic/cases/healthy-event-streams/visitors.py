# SPDX-License-Identifier: Apache-2.0
"""Listeners that come and go, as people do with a page that is open for a while."""

import asyncio
import os
import random


async def listener():
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PORT"]))
        writer.write(b"GET /events HTTP/1.1\r\nHost: site\r\n\r\n")
        for _ in range(random.randrange(2, 8)):
            await reader.readuntil(b"data:")
        writer.close()


async def main():
    await asyncio.gather(*(listener() for _ in range(6)))


asyncio.run(main())
