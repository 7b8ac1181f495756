# SPDX-License-Identifier: Apache-2.0
"""resolver.py ADDRESS DELAY: a name server that is DELAY away; each name is at 127.0.66.1."""

import asyncio
import sys


class Resolver(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, asked, who):
        end = asked.index(b"\0", 12) + 5
        found = asked[end - 4 : end - 2] == b"\0\1"  # an A record
        head = asked[:2] + b"\x81\x80\0\1" + (b"\0\1" if found else b"\0\0") + bytes(4)
        answer = b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + bytes([127, 0, 66, 1]) if found else b""
        said = head + asked[12:end] + answer
        asyncio.get_running_loop().call_later(float(sys.argv[2]), self.transport.sendto, said, who)


async def main():
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Resolver, (sys.argv[1], 53))
    await asyncio.Event().wait()


asyncio.run(main())
