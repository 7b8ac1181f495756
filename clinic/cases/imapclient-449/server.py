# SPDX-License-Identifier: Apache-2.0
"""server.py ADDRESS PORT: an IMAP server with an empty INBOX."""

import asyncio
import sys


async def serve(reader, writer):
    writer.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
    idle = b""
    while line := await reader.readline():
        tag, _, rest = line.strip().partition(b" ")
        command = rest.split(b" ")[0].upper()
        if tag == b"DONE":
            writer.write(idle + b" OK IDLE done\r\n")
        elif command == b"IDLE":
            idle = tag
            writer.write(b"+ idling\r\n")
        elif command in (b"SELECT", b"EXAMINE"):
            writer.write(b"* 0 EXISTS\r\n* FLAGS (\\Seen)\r\n" + tag + b" OK [READ-ONLY] done\r\n")
        elif command == b"CAPABILITY":
            writer.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n")
        else:
            writer.write(tag + b" OK done\r\n")
        await writer.drain()


async def main():
    async with await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()


asyncio.run(main())
