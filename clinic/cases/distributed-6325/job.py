# SPDX-License-Identifier: Apache-2.0
import sys
import time

import tasks
from distributed import Client

client = Client(sys.argv[1])
client.wait_for_workers(2)
workers = list(client.scheduler_info()["workers"])
for run in range(10**6):
    began = time.monotonic()
    parts = [client.submit(tasks.part, (run, n), workers=workers[n % 2]) for n in range(20)]
    sums = [
        client.submit(tasks.joined, parts[n : n + 10], workers=workers[1 - n % 2], pure=False)
        for n in range(10)
    ]
    client.gather(sums)
    print(f"{time.monotonic() - began:.2f} s", flush=True)
