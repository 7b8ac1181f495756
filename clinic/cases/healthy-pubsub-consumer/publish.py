# SPDX-License-Identifier: Apache-2.0
import os
import time

import redis

store = redis.Redis(port=int(os.environ["DB"]))
while True:
    store.publish("orders", "new")
    time.sleep(1.5)
