# SPDX-License-Identifier: Apache-2.0
"""players.py PLAYERS: each sends a position 30 times a second and reads all that comes."""

import asyncio
import base64
import json
import os
import random
import struct
import sys


async def player():
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["PORT"]))
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET / HTTP/1.1\r\nHost: game\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    reading = asyncio.create_task(read(reader))
    while True:
        await asyncio.sleep(random.uniform(0.025, 0.04))
        said = json.dumps({"x": random.random(), "y": random.random()}).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[n % 4] for n, byte in enumerate(said))
        writer.write(struct.pack("BB", 0x81, 0x80 | len(said)) + mask + masked)
        await writer.drain()
    reading.cancel()


async def read(reader):
    while await reader.read(65536):
        pass


async def main():
    await asyncio.gather(*(player() for _ in range(int(sys.argv[1]))))


asyncio.run(main())
