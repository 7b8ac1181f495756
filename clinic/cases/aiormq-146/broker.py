# SPDX-License-Identifier: Apache-2.0
"""broker.py ADDRESS PORT DELAY: as much of an AMQP broker as a publisher with aio-pika needs: it
confirms each message DELAY seconds after it came, however many came with it."""

import asyncio
import struct
import sys

from pika import frame, spec

ANSWERS = {
    "Connection.StartOk": spec.Connection.Tune(2047, 131072, 0),
    "Connection.Open": spec.Connection.OpenOk(),
    "Connection.Close": spec.Connection.CloseOk(),
    "Channel.Open": spec.Channel.OpenOk(),
    "Channel.Close": spec.Channel.CloseOk(),
    "Confirm.Select": spec.Confirm.SelectOk(),
    "Exchange.Declare": spec.Exchange.DeclareOk(),
}


async def serve(reader, writer):
    def say(channel, method):
        writer.write(frame.Method(channel, method).marshal())

    tag = 0
    await reader.readexactly(8)
    abilities = {"capabilities": {"publisher_confirms": True, "basic.nack": True}}
    say(0, spec.Connection.Start(0, 9, abilities, "PLAIN", "en_US"))
    try:
        while True:
            head = await reader.readexactly(7)
            rest = await reader.readexactly(struct.unpack(">I", head[3:])[0] + 1)
            heard = frame.decode_frame(head + rest)[1]
            if not isinstance(heard, frame.Method):
                continue
            if heard.method.NAME == "Basic.Publish":
                tag += 1
                confirmed = spec.Basic.Ack(tag, False)
                asyncio.get_running_loop().call_later(
                    float(sys.argv[3]), say, heard.channel_number, confirmed
                )
            elif heard.method.NAME in ANSWERS:
                say(heard.channel_number, ANSWERS[heard.method.NAME])
    except (EOFError, OSError):
        writer.close()


async def main():
    async with await asyncio.start_server(serve, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()


asyncio.run(main())
