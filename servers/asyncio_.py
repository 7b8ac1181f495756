# SPDX-License-Identifier: Apache-2.0
"""Python's asyncio: coroutines that read as if they blocked, on one event loop.

"Asynchronous" is the program, not the I/O: underneath is epoll, and the copy from the kernel is
made by the loop's own recv. A message takes two rounds of the loop: what has come in wakes a
coroutine, which runs in the next round, after another look at epoll. While a coroutine computes,
or blocks (--slow-handler-ms), the loop stands still for everyone; while it awaits, others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

from iotrace.servers.handler import think
from iotrace.servers.options import Options
from iotrace.servers.program import BACKLOG, STOP_SIGNALS, announce, listening, run
from iotrace.servers.protocol import RECEIVE_BYTES, Decoder, Message, ProtocolError, Work


async def handle(message: Message, slow_ns: int) -> bytes:
    """Work as long as the message asks; asleep, the loop is left to the others."""
    if message.work == Work.SLEEP and message.think_ns:
        await asyncio.sleep(message.think_ns / 1e9)
    elif message.think_ns:
        think(message)
    if slow_ns:
        time.sleep(slow_ns / 1e9)  # wrong on purpose: nobody can be served meanwhile
    return message.frame


async def serve_loop(options: Options) -> None:
    """Serve until SIGTERM."""
    stopped = asyncio.Event()
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = Decoder()
        with contextlib.suppress(ConnectionError, TimeoutError, ProtocolError):
            while data := await reader.read(RECEIVE_BYTES):
                for message in decoder.feed(data):
                    writer.write(await handle(message, options.slow_handler_ns))
                    await writer.drain()

    async def on_newcomer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        assert conversation is not None
        conversations.add(conversation)
        try:
            await converse(reader, writer)
        except asyncio.CancelledError:
            pass  # the server is being stopped
        finally:
            conversations.discard(conversation)
            writer.close()

    with listening(options) as listener:
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stopped.set)
        # limit: how much a reader may hold before it stops reading from its socket
        server = await asyncio.start_server(
            on_newcomer, sock=listener, backlog=BACKLOG, limit=RECEIVE_BYTES
        )
        announce(listener)
        await stopped.wait()
        server.close()
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations)


def serve(options: Options) -> None:
    """Run the event loop until SIGTERM."""
    asyncio.run(serve_loop(options))


if __name__ == "__main__":
    run(serve, __doc__, ("--slow-handler-ms",))
