# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import random

BODY = random.Random(1).randbytes(200_000)


async def serve(reader, writer):
    while (await reader.readline()).strip():
        while (await reader.readline()).strip():
            pass
        await asyncio.sleep(random.uniform(0.03, 0.09))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


asyncio.run(main())
