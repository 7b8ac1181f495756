# SPDX-License-Identifier: Apache-2.0
"""server.py PORT: IMAP, where a message comes now and then."""

import asyncio
import sys

MAIL = b"Subject: order\r\n\r\nOne, please.\r\n"


async def serve(reader, writer):
    writer.write(b"* OK [CAPABILITY IMAP4rev1 IDLE] ready\r\n")
    idle, count = b"", 0
    while line := await reader.readline():
        tag, _, rest = line.strip().partition(b" ")
        words = rest.upper().split(b" ")
        if tag == b"DONE":
            writer.write(idle + b" OK IDLE done\r\n")
        elif words[0] == b"IDLE":
            idle, count = tag, count + 1
            writer.write(b"+ idling\r\n")
            await writer.drain()
            await asyncio.sleep(2)
            writer.write(b"* %d EXISTS\r\n" % count)
        elif words[0] == b"SELECT":
            writer.write(b"* 0 EXISTS\r\n* FLAGS (\\Seen)\r\n" + tag + b" OK [READ-WRITE] done\r\n")
        elif words[0] == b"CAPABILITY":
            writer.write(b"* CAPABILITY IMAP4rev1 IDLE\r\n" + tag + b" OK done\r\n")
        elif b"FETCH" in words:
            writer.write(b"* %d FETCH (UID %d RFC822 {%d}\r\n" % (count, count, len(MAIL)) + MAIL)
            writer.write(b")\r\n" + tag + b" OK done\r\n")
        else:
            writer.write(tag + b" OK done\r\n")
        await writer.drain()


async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1])) as server:
        await server.serve_forever()


asyncio.run(main())
