# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from arq.connections import RedisSettings


def render(number: int) -> int:
    return sum(range(20_000)) + number


async def send_invoice(context: dict, number: int) -> int:
    await asyncio.sleep(0.3)
    return await asyncio.to_thread(render, number)


async def ping(context: dict) -> str:
    return "pong"


class Settings:
    functions = [send_invoice, ping]
    redis_settings = RedisSettings(port=int(os.environ["PORT"]) + 1)
