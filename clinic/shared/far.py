# SPDX-License-Identifier: Apache-2.0
"""far.py ADDRESS PORT TO_PORT DELAY: a TCP relay to 127.0.0.1:TO_PORT, DELAY seconds away."""

import asyncio
import sys


async def carry(reader, writer, delay):
    loop, sent = asyncio.get_running_loop(), asyncio.Queue(1000)

    async def deliver():
        while True:
            when, data = await sent.get()
            await asyncio.sleep(when - loop.time())
            writer.write(data) if data else writer.close()
            if not data:
                return
            await writer.drain()

    delivery = asyncio.create_task(deliver())
    try:
        while data := await reader.read(65536):
            await sent.put((loop.time() + delay, data))
    except ConnectionError:
        pass
    await sent.put((loop.time() + delay, b""))
    await asyncio.gather(delivery, return_exceptions=True)


async def relay(reader, writer):
    there, here = await asyncio.open_connection("127.0.0.1", int(sys.argv[3]))
    delay = float(sys.argv[4])
    await asyncio.gather(carry(reader, here, delay), carry(there, writer, delay))


async def main():
    server = await asyncio.start_server(relay, sys.argv[1], int(sys.argv[2]), backlog=100)
    async with server:
        await server.serve_forever()


asyncio.run(main())
