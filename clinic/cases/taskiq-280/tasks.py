# SPDX-License-Identifier: Apache-2.0
import asyncio
import os

from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

redis = f"redis://127.0.0.1:{os.environ['QUEUE']}"
broker = ListQueueBroker(redis).with_result_backend(RedisAsyncResultBackend(redis))


@broker.task
async def health_check_worker() -> None:
    task = await task_2.kiq()
    await task.wait_result()  # <- waits


@broker.task
async def task_2() -> None:
    await asyncio.sleep(1)
    task = await task_3.kiq()
    await task.wait_result()


@broker.task
async def task_3() -> None:
    await asyncio.sleep(1)
