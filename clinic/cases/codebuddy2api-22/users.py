# SPDX-License-Identifier: Apache-2.0
"""Six users who wait for two seconds, hang up, and ask again."""

import asyncio
import os

ASKED = b"GET /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\n"


async def user():
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", os.environ["PORT"])
        writer.write(ASKED)
        try:
            print(await asyncio.wait_for(reader.readline(), timeout=2), flush=True)
        except asyncio.TimeoutError:
            print("hung up", flush=True)
        writer.close()
        await asyncio.sleep(0.3)


async def main():
    await asyncio.gather(*(user() for _ in range(6)))


asyncio.run(main())
