# SPDX-License-Identifier: Apache-2.0
"""A proxy's pool after some time: it keeps the connections that it has last used."""

import asyncio
import os
import re

PORT = int(os.environ["PORT"])


async def ask(reader, writer):
    writer.write(b"GET / HTTP/1.1\r\nHost: scores\r\n\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(int(re.search(rb"content-length: (\d+)", head)[1]))
    return re.search(rb"worker: (\d+)", head)[1]


async def use(reader, writer):
    while True:
        await ask(reader, writer)


async def main():
    pools = {}
    while max(map(len, pools.values()), default=0) < 6:
        connection = await asyncio.open_connection("127.0.0.1", PORT)
        pools.setdefault(await ask(*connection), []).append(connection)
    kept = max(pools.values(), key=len)
    for pool in pools.values():
        for _, writer in pool if pool is not kept else ():
            writer.close()
    await asyncio.gather(*(use(*connection) for connection in kept))


asyncio.run(main())
