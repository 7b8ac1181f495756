"""The clients of app.py: 16 connections to the port given, each asks again once it is answered."""

from __future__ import annotations

import asyncio
import sys

_CONNECTIONS = 16
_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _ask(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        writer.write(_REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        # uvicorn sends "hello\n" in one chunk, then the empty one that ends the answer.
        end = b"0\r\n\r\n" if b"chunked" in head else b"\n"
        await reader.readuntil(end)


async def _main(port: int) -> None:
    await asyncio.gather(*(_ask(port) for _ in range(_CONNECTIONS)))


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
