# SPDX-License-Identifier: Apache-2.0
"""gateway.py ADDRESS PORT TO_PORT: a gateway that forgets a connection that is idle, which FTP's
control connection is during a long transfer, and tells neither side."""

import asyncio
import sys


async def carry(reader, writer, state, name):
    while data := await reader.read(65536):
        if state["forgotten"]:
            continue
        state[name] = data
        writer.write(data)
        await writer.drain()
        if state["answered"].startswith(b"1") and b"run.fastq" in state["asked"]:
            state["forgotten"] = True


async def relay(reader, writer):
    there, here = await asyncio.open_connection(sys.argv[1], int(sys.argv[3]))
    state = {"forgotten": False, "asked": b"", "answered": b""}
    await asyncio.gather(
        carry(reader, here, state, "asked"), carry(there, writer, state, "answered")
    )


async def main():
    async with await asyncio.start_server(relay, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()


asyncio.run(main())
