# SPDX-License-Identifier: Apache-2.0
import asyncio

from tasks import broker, health_check_worker


async def main():
    await broker.startup()
    for _ in range(150):
        await health_check_worker.kiq()
    await broker.shutdown()


asyncio.run(main())
