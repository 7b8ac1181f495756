# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import os
import time

import aiomqtt

PORT = int(os.environ["PORT"])


async def send(client: aiomqtt.Client, number: int, value: float) -> None:
    text = json.dumps({"sensor": number, "value": value, "at": time.time()})
    await client.publish(f"plant/7/{number}", text, timeout=30)  # <- publishes


async def forward(client: aiomqtt.Client) -> None:
    while True:
        began = time.monotonic()
        async with asyncio.TaskGroup() as batch:
            for number in range(4000):
                batch.create_task(send(client, number, number / 7))
        print(f"batch: {time.monotonic() - began:.2f} s", flush=True)
        await asyncio.sleep(1)


async def watch_valve() -> None:
    """Has to look every 50 ms."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(0.05)
        if (late := time.monotonic() - began - 0.05) > 0.1:
            print(f"valve: {late:.2f} s late", flush=True)


async def main() -> None:
    async with aiomqtt.Client("127.0.94.1", PORT) as client:
        client.pending_calls_threshold = 10_000  # else it warns of each
        await asyncio.gather(forward(client), watch_valve())


asyncio.run(main())
