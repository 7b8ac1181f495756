# SPDX-License-Identifier: Apache-2.0
"""Buckets of the limiter, in Redis: one for each client and route, made when first asked for."""

import asyncio
import os

from pyrate_limiter import BucketFactory, Duration, Limiter, Rate, RateItem, RedisBucket
from redis.asyncio import Redis

redis = Redis(host="127.0.59.2", port=int(os.environ["FAR"]))
RATES = [Rate(1000, Duration.SECOND * 10)]


class Buckets(BucketFactory):
    def __init__(self):
        self.lock = asyncio.Lock()
        self.buckets = {}

    async def wrap_item(self, name, weight=1):
        seconds, micros = await redis.time()
        return RateItem(name, seconds * 1000 + micros // 1000, weight=weight)

    async def get(self, item):
        async with self.lock:  # <- waits
            if item.name not in self.buckets:
                bucket = await RedisBucket.init(RATES, redis, item.name)  # <- loads
                self.buckets[item.name] = bucket
            return self.buckets[item.name]


buckets = Buckets()
limiter = Limiter(buckets)
