# SPDX-License-Identifier: Apache-2.0
"""Counts what comes over UDP, and asks the node's lock daemon now and then."""

import asyncio
import os
import sys
from collections import Counter

seen: Counter[bytes] = Counter()


class Metrics(asyncio.DatagramProtocol):
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name, _, value = data.partition(b":")
        seen[name] += int(value)


async def flush() -> None:
    reader, writer = await asyncio.open_unix_connection("lockd.sock")
    writer.write(b"metrics\n")
    await reader.readline()
    writer.close()
    descriptor = os.open("metrics.lock", os.O_CREAT | os.O_EXCL)
    with open("metrics.prom", "w") as file:
        file.writelines(f"{name.decode()} {value}\n" for name, value in seen.items())
    os.close(descriptor)
    os.unlink("metrics.lock")


async def main() -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Metrics, ("127.0.0.1", int(sys.argv[1])))
    open("bound", "w").close()
    while True:
        await asyncio.sleep(0.5)
        await flush()


asyncio.run(main())
