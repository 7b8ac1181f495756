"""IO114: a thread for each of 250 connections; fixed: an event loop for all of them."""

import asyncio
import threading

from common import WRONG, listen, ready

listener = listen()


def serve(connection):
    with connection:
        while data := connection.recv(65536):
            sum(range(2000))
            connection.sendall(data)


async def serve_in_loop(reader, writer):
    while data := await reader.read(65536):
        sum(range(2000))
        writer.write(data)


async def main():
    server = await asyncio.start_server(serve_in_loop, sock=listener)
    ready(listener)
    await server.serve_forever()


if not WRONG:
    asyncio.run(main())
ready(listener)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
