# SPDX-License-Identifier: Apache-2.0
import os
import time

import redis

store = redis.Redis(port=int(os.environ["DB"]))
number = 0
while True:
    number += 1
    store.xadd("orders", {"number": number}, maxlen=1000)
    time.sleep(0.03)
