# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import socket

last = {"reading": ""}


async def follow():
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.connect(("127.0.71.1", int(os.environ["PORT"]) + 1))
    while True:
        data = await loop.sock_recv(sock, 4096)  # <- receives
        last["reading"] = data.decode()


async def show(reader, writer):
    while await reader.readuntil(b"\r\n\r\n"):
        body = last["reading"].encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()


async def main():
    await asyncio.start_server(show, "127.0.0.1", int(os.environ["PORT"]))
    await asyncio.sleep(1)
    await follow()


asyncio.run(main())
