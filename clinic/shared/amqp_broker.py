# SPDX-License-Identifier: Apache-2.0
"""amqp_broker.py ADDRESS PORT HEARTBEAT PAUSE: as much of an AMQP 0-9-1 broker as a consumer with
pika needs: it delivers a message each PAUSE seconds, as many unacknowledged ones as its prefetch
count allows, and ends connections from which nothing comes for two heartbeats, as RabbitMQ does."""

import asyncio
import struct
import sys

from pika import frame, spec

ADDRESS, PORT = sys.argv[1], int(sys.argv[2])
HEARTBEAT, PAUSE = int(sys.argv[3]), float(sys.argv[4])


class Connection:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.tag, self.open, self.prefetch, self.consumer = 0, set(), 0, None
        self.room = asyncio.Event()

    def say(self, channel, method):
        self.writer.write(frame.Method(channel, method).marshal())

    async def heard(self):
        """The next frame; None where none comes for as long as is allowed."""
        head = await asyncio.wait_for(self.reader.readexactly(7), 2 * HEARTBEAT)
        size = struct.unpack(">I", head[3:])[0]
        rest = await self.reader.readexactly(size + 1)
        return frame.decode_frame(head + rest)[1]

    async def serve(self):
        await self.reader.readexactly(8)
        self.say(0, spec.Connection.Start(0, 9, {"capabilities": {}}, "PLAIN", "en_US"))
        tasks = [asyncio.create_task(self.deliver()), asyncio.create_task(self.beat())]
        try:
            while True:
                heard = await self.heard()
                if isinstance(heard, frame.Method):
                    self.answer(heard.channel_number, heard.method)
        except TimeoutError:
            print("missed heartbeats, connection closed", flush=True)
        except (EOFError, OSError):
            pass
        finally:
            for task in tasks:
                task.cancel()
            self.writer.close()

    def answer(self, channel, said):
        answers = {
            "Connection.StartOk": spec.Connection.Tune(2047, 131072, HEARTBEAT),
            "Connection.Open": spec.Connection.OpenOk(),
            "Connection.Close": spec.Connection.CloseOk(),
            "Channel.Open": spec.Channel.OpenOk(),
            "Channel.Close": spec.Channel.CloseOk(),
            "Queue.Declare": spec.Queue.DeclareOk("tasks", 0, 0),
            "Basic.Qos": spec.Basic.QosOk(),
            "Basic.Cancel": spec.Basic.CancelOk("consumer"),
        }
        if said.NAME == "Basic.Ack":
            self.open.discard(said.delivery_tag)
        elif said.NAME == "Basic.Consume":
            self.say(channel, spec.Basic.ConsumeOk(said.consumer_tag))
            self.consumer = (channel, said.consumer_tag)
        elif said.NAME in answers:
            self.say(channel, answers[said.NAME])
        if said.NAME == "Basic.Qos":
            self.prefetch = said.prefetch_count
        self.room.set()

    async def deliver(self):
        while True:
            while not self.consumer or (self.prefetch and len(self.open) >= self.prefetch):
                self.room.clear()
                await self.room.wait()
            channel, consumer = self.consumer
            self.tag += 1
            self.open.add(self.tag)
            body = b"task %d" % self.tag
            self.say(channel, spec.Basic.Deliver(consumer, self.tag, False, "", "tasks"))
            properties = spec.BasicProperties()
            self.writer.write(frame.Header(channel, len(body), properties).marshal())
            self.writer.write(frame.Body(channel, body).marshal())
            await asyncio.sleep(PAUSE)

    async def beat(self):
        while True:
            await asyncio.sleep(HEARTBEAT / 2)
            self.writer.write(frame.Heartbeat().marshal())


async def main():
    async def served(reader, writer):
        await Connection(reader, writer).serve()

    async with await asyncio.start_server(served, ADDRESS, PORT) as server:
        await server.serve_forever()


asyncio.run(main())
