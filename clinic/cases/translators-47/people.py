# SPDX-License-Identifier: Apache-2.0
import os
import time

import redis

queue = redis.Redis(port=int(os.environ["DB"]))
while True:
    queue.rpush("messages", "hello")
    time.sleep(0.1)
