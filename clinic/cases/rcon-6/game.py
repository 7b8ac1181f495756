# SPDX-License-Identifier: Apache-2.0
"""game.py ADDRESS PORT: a game server's remote console (Source RCON)."""

import asyncio
import struct
import sys


def packet(number, kind, text):
    body = struct.pack("<ii", number, kind) + text + b"\0\0"
    return struct.pack("<i", len(body)) + body


async def console(reader, writer):
    try:
        while True:
            (size,) = struct.unpack("<i", await reader.readexactly(4))
            number, kind = struct.unpack("<ii", (await reader.readexactly(size))[:8])
            await asyncio.sleep(0.01)
            writer.write(packet(number, 2, b"") if kind == 3 else packet(number, 0, b"3 players"))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    async with await asyncio.start_server(console, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()


asyncio.run(main())
