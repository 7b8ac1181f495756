# SPDX-License-Identifier: Apache-2.0
"""Asks a game server for its players, for whoever asks the bot."""

import asyncio
import os

from rcon.asyncio import rcon

PORT = int(os.environ["PORT"])


async def players(reader, writer):
    await reader.readline()
    said = await rcon("list", host="127.0.94.1", port=PORT + 1, passwd="secret")  # <- asks
    writer.write(f"{said}\n".encode())
    await writer.drain()
    writer.close()


async def main():
    async with await asyncio.start_server(players, "127.0.0.1", PORT) as server:
        await server.serve_forever()


asyncio.run(main())
