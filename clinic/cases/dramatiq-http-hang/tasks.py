# SPDX-License-Identifier: Apache-2.0
import os

import dramatiq
import httpx
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=f"redis://127.0.0.1:{os.environ['DB']}/0"))


@dramatiq.actor(time_limit=5_000)
def fetch(number: int) -> None:
    url = f"http://127.0.12.1:{int(os.environ['PORT']) + 2}/{number}"
    print(httpx.get(url, timeout=None).text)  # <- asks
