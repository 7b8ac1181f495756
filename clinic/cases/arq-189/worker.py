# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from arq.connections import RedisSettings


async def shrink(context, number):
    await asyncio.sleep(0.005)
    return number


class Settings:
    functions = [shrink]
    redis_settings = RedisSettings(port=int(os.environ["PORT"]) + 1)
    poll_delay = 0.02
