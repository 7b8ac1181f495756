# SPDX-License-Identifier: Apache-2.0
import os
import time

import redis

store = redis.Redis(port=int(os.environ["DB"]))
while True:
    store.xadd("predictions", {"prompt": "a bicycle"})
    time.sleep(2)
