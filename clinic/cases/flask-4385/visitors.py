# SPDX-License-Identifier: Apache-2.0
"""Opens the stream, and leaves after half a second: some eight visitors a second."""

import asyncio
import os


async def visitor():
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PORT"]))
        writer.write(b"GET /raw HTTP/1.1\r\nHost: site\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.close()


async def main():
    await asyncio.gather(*(visitor() for _ in range(4)))


asyncio.run(main())
