# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import os
import time
import urllib.request

import redis

PORT = int(os.environ["PORT"])
URL = f"http://127.0.0.1:{PORT + 2}/rows"
cache = redis.Redis(port=PORT + 1)
reports = concurrent.futures.ThreadPoolExecutor(2)
parts = concurrent.futures.ThreadPoolExecutor(6)


def rows(month: int) -> bytes:
    return urllib.request.urlopen(f"{URL}/{month}", timeout=10).read()


def report(year: int) -> int:
    with cache.lock(f"year-{year % 2}", timeout=5):
        size = sum(map(len, parts.map(rows, range(6))))
    cache.set(f"size-{year}", size)
    return size


for number in range(10_000):
    print("report", sum(reports.map(report, (number, number + 1))), flush=True)
    time.sleep(0.3)
