# SPDX-License-Identifier: Apache-2.0
"""gateway.py ADDRESS PORT TO_PORT: a gateway that forgets a connection that is idle, which FTP's
control connection is during a long transfer, and tells neither side."""

import asyncio
import sys


async def carry(reader, writer, state):
    while data := await reader.read(65536):
        if state["forgotten"]:
            continue
        writer.write(data)
        await writer.drain()
        state["forgotten"] = data.startswith(b"150") and b"run.fastq" in state["last"]
        state["last"] = data


async def relay(reader, writer):
    there, here = await asyncio.open_connection(sys.argv[1], int(sys.argv[3]))
    state = {"forgotten": False, "last": b""}
    await asyncio.gather(carry(reader, here, state), carry(there, writer, state))


async def main():
    async with await asyncio.start_server(relay, sys.argv[1], int(sys.argv[2])) as server:
        await server.serve_forever()


asyncio.run(main())
