# SPDX-License-Identifier: Apache-2.0
import time

import redis

client = redis.Redis("10.9.0.9", 6379)
while True:
    client.incr("heartbeat")  # <- asks
    open("beats", "w").close()
    time.sleep(0.1)
