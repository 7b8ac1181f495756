# SPDX-License-Identifier: Apache-2.0
import asyncio

from arq import create_pool
from jobs import Settings


async def main() -> None:
    queue = await create_pool(Settings.redis_settings)
    for number in range(10_000):
        await queue.enqueue_job("fetch_invoice", number)
        await queue.enqueue_job("ping")
        await asyncio.sleep(0.5)


asyncio.run(main())
