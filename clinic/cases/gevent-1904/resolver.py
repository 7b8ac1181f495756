"""resolver.py ADDRESS DELAY: answers each question after DELAY seconds: 127.0.0.1, and no IPv6."""

import asyncio
import sys


class Resolver(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, question, who):
        asyncio.get_running_loop().call_later(float(sys.argv[2]), self.answer, question, who)

    def answer(self, question, who):
        end = question.index(b"\0", 12) + 5
        v4 = question[end - 4 : end - 2] == b"\0\1"
        head = question[:2] + b"\x81\x80\0\1" + (b"\0\1" if v4 else b"\0\0") + b"\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1" if v4 else b""
        self.transport.sendto(head + question[12:end] + record, who)


async def main():
    address = sys.argv[1], 53
    await asyncio.get_running_loop().create_datagram_endpoint(Resolver, local_addr=address)
    open("resolver", "w").close()
    await asyncio.Event().wait()


asyncio.run(main())
