# SPDX-License-Identifier: Apache-2.0
"""As much of a NATS server with JetStream as a publisher needs, 90 ms away."""

import asyncio
import json
import os

WAY_S = 0.09
INFO = {"server_id": "A", "version": "2.9.8", "max_payload": 1 << 20, "headers": True}


class Session:
    def __init__(self, reader, writer):
        self.reader, self.writer, self.inbox, self.last = reader, writer, b"1", 0

    def later(self, answer):
        asyncio.get_running_loop().call_later(WAY_S, self.writer.write, answer)

    async def serve(self):
        self.writer.write(b"INFO " + json.dumps(INFO).encode() + b"\r\n")
        while line := await self.reader.readline():
            verb, *words = line.split()
            if verb == b"PING":
                self.later(b"PONG\r\n")
            elif verb == b"SUB":
                self.inbox = words[-1]
            elif verb == b"PUB":
                await self.reader.readexactly(int(words[-1]) + 2)
                self.last += 1
                body = json.dumps({"stream": "sample", "seq": self.last}).encode()
                head = b"MSG %s %s %d\r\n" % (words[1], self.inbox, len(body))
                self.later(head + body + b"\r\n")


async def main():
    async def served(reader, writer):
        await Session(reader, writer).serve()

    async with await asyncio.start_server(served, "127.0.113.1", int(os.environ["BUS"])) as server:
        await server.serve_forever()


asyncio.run(main())
