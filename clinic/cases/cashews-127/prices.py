# SPDX-License-Identifier: Apache-2.0
"""Prices of articles, each computed once for all who ask at the same time (lock=True)."""

import asyncio
import os
import random
import time

from cashews import cache

cache.setup(
    f"redis://127.0.0.1:{os.environ['DB']}",
    max_connections=20,
    wait_for_connection_timeout=300,
)


@cache(ttl="1m", lock=True)
async def price(article):
    await asyncio.sleep(0.1)
    return article * 3


async def batch():
    started = time.monotonic()
    await asyncio.gather(*(price(random.randint(0, 50)) for _ in range(500)))  # <- asks
    print(f"500 prices in {time.monotonic() - started:.1f} s", flush=True)


async def main():
    print("begins", flush=True)
    while True:
        await batch()


asyncio.run(main())
