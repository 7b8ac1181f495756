# SPDX-License-Identifier: Apache-2.0
"""A load balancer that closes connections which were idle for half a second.

It is far away: that it has closed one is seen here 60 ms later; what comes meanwhile is lost."""

import asyncio
import os

IDLE, AWAY = 0.5, 0.06


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            async with asyncio.timeout(IDLE):
                head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split()[0])
            await reader.readexactly(length)
            await asyncio.sleep(AWAY)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
    except TimeoutError:
        await asyncio.sleep(AWAY)
        writer.write_eof()
        await asyncio.sleep(AWAY)
    except (asyncio.IncompleteReadError, OSError):
        pass
    writer.close()


async def main() -> None:
    async with await asyncio.start_server(serve, "127.0.83.1", int(os.environ["PORT"])) as server:
        await server.serve_forever()


asyncio.run(main())
