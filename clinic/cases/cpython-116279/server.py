# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

clients = set()
EVENT = b"x" * 65_536


async def serve(reader, writer):
    clients.add(writer)
    await reader.read()
    clients.discard(writer)


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"])):
        while True:
            for writer in clients:
                writer.write(EVENT)  # <- writes
            await asyncio.sleep(0.02)


asyncio.run(main())
