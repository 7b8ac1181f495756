# SPDX-License-Identifier: Apache-2.0
import os
import time

import redis
from rq import Queue

queue = Queue(connection=redis.Redis(port=int(os.environ["DB"])))
while True:
    if len(queue) < 20:
        queue.enqueue("tasks.total", [1.0, 2.0, 3.0])
    time.sleep(0.02)
