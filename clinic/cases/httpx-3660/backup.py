# SPDX-License-Identifier: Apache-2.0
import os
import time
from concurrent.futures import ThreadPoolExecutor

import httpx

client = httpx.Client(base_url=f"http://127.0.0.1:{os.environ['STORE']}", timeout=300)
archive = os.urandom(300_000_000)


def send(part):
    began = time.monotonic()
    client.post(f"/{part}", content=archive)  # <- sends
    print(part, f"{time.monotonic() - began:.2f} s", flush=True)


with ThreadPoolExecutor(2) as threads:
    list(threads.map(send, range(10_000)))
