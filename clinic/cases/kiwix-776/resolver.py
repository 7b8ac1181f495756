# SPDX-License-Identifier: Apache-2.0
"""resolver.py ADDRESS: a name server that takes 40 ms for an answer; it knows one name."""

import asyncio
import sys

KNOWN = b"\x03api\x07example\x03com\x00"


class Server(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        open("resolver", "w").close()

    def datagram_received(self, data, client):
        asyncio.get_running_loop().call_later(0.04, self.answer, data, client)

    def answer(self, data, client):
        end = data.index(b"\0", 12) + 5
        known, kind = data[12:].startswith(KNOWN), data[end - 4 : end - 2]
        answers = known and kind == b"\0\1"
        head = data[:2] + (b"\x81\x80" if known else b"\x81\x83")
        head += b"\0\1" + bytes([0, answers]) + bytes(4)
        record = b"\xc0\x0c\0\1\0\1" + bytes(4) + b"\0\x04\x7f\0\0\1"
        self.transport.sendto(head + data[12:end] + (record if answers else b""), client)


async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Server, (sys.argv[1], 53))
    await asyncio.Event().wait()


asyncio.run(main())
