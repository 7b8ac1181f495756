# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import time

import nats


async def main():
    client = await nats.connect(f"nats://127.0.113.1:{os.environ['BUS']}")
    stream = client.jetstream()
    began = time.monotonic()
    for number in range(100_000):
        await stream.publish("foo", f"hello world: {number}".encode())  # <- publishes
        if number % 50 == 49:
            print(f"{number / (time.monotonic() - began):.0f} a second", flush=True)


asyncio.run(main())
