"""An asyncio echo server with one defect: see DEFECTS. Fixed: the loop's own way to do it."""

import asyncio
import socket
import sys

from common import UPSTREAM, WRONG, burn, listen, ready

DEFECT = sys.argv[3]
SLOW_S = 0.12
BLOCK_S = 0.2
OFTEN_S = 0.015
turns = 0


async def stall():
    """IO103: computes in the loop for longer than 50 ms, in every tenth message."""
    if turns % 10 == 5:
        if WRONG:
            burn(SLOW_S)
        else:
            command = f"import time; end = time.process_time() + {SLOW_S}\n"
            command += "while time.process_time() < end: pass"
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", command)
            await process.wait()


async def block():
    """IO104: waits in a blocking recv for a service that takes 200 ms, in every tenth message."""
    if turns % 10 == 5:
        if WRONG:
            upstream.sendall(b"question")
            upstream.recv(100)
        else:
            loop = asyncio.get_running_loop()
            async with one_at_a_time:
                await loop.sock_sendall(upstream, b"question")
                await loop.sock_recv(upstream, 100)


async def often():
    """IO132: computes for less than a stall in each message what could be known."""
    if WRONG:
        burn(OFTEN_S)


async def spin():
    """IO120: goes round while nothing is to be done."""


DEFECTS = {"stall": stall, "block": block, "spin": spin, "often": often}
listener = listen()
upstream = socket.create_connection(("127.0.0.1", UPSTREAM)) if UPSTREAM else None
one_at_a_time = asyncio.Lock()
if upstream and not WRONG:
    upstream.setblocking(False)


async def serve(reader, writer):
    global turns
    while data := await reader.read(65536):
        turns += 1
        await DEFECTS[DEFECT]()
        writer.write(data)
    writer.close()


async def main():
    server = await asyncio.start_server(serve, sock=listener)
    ready(listener, upstream=upstream.fileno() if upstream else -1)
    while DEFECT == "spin" and WRONG:
        await asyncio.sleep(0)
    await server.serve_forever()


asyncio.run(main())
