"""An asyncio echo server and its load. Prints the pids of both; the load ends with the server."""

import asyncio
import os
import socket
import threading
import time


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()


def client(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while True:
            connection.sendall(b"hello\n")
            connection.recv(100)
            time.sleep(0.005)


def load(port: int) -> None:
    for _ in range(4):
        threading.Thread(target=client, args=(port,), daemon=True).start()
    server = os.getppid()
    while os.getppid() == server:
        time.sleep(0.2)
    os._exit(0)


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    clients = os.fork()
    if not clients:
        load(port)
    print(os.getpid(), clients, flush=True)
    await server.serve_forever()


asyncio.run(main())
