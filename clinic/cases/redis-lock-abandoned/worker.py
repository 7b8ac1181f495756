# SPDX-License-Identifier: Apache-2.0
import os
import time

import redis

client = redis.Redis(port=int(os.environ["PORT"]) + 1)
while True:
    with client.lock("nightly-report"):  # <- takes
        print("report")
    time.sleep(1)
