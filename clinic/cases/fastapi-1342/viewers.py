# SPDX-License-Identifier: Apache-2.0
"""Every third of a second somebody looks at the live stream, for a moment."""

import asyncio
import os

ASKED = b"GET /live HTTP/1.1\r\nHost: a\r\n\r\n"


async def viewer():
    reader, writer = await asyncio.open_connection("127.0.0.1", os.environ["PORT"])
    writer.write(ASKED)
    await reader.readexactly(30_000)
    writer.close()


async def main():
    tasks = set()
    for number in range(36):
        tasks.add(asyncio.create_task(viewer()))
        await asyncio.sleep(0.33)
        print(number, flush=True)
    await asyncio.sleep(3600)


asyncio.run(main())
