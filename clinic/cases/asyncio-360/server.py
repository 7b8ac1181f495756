# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import sys
from collections import Counter

seen: Counter[str] = Counter()


class Traffic(asyncio.DatagramProtocol):
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        record = json.loads(data)  # <- handles
        for _ in range(30):  # <- handles
            for name, value in sorted(record.items()):  # <- handles
                seen[f"{name}={value % 7}"] += 1  # <- handles


async def main() -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Traffic, ("127.0.42.1", int(sys.argv[1])))
    open("bound", "w").close()
    while True:
        await asyncio.sleep(1)
        print(sum(seen.values()), flush=True)


asyncio.run(main())
