# SPDX-License-Identifier: Apache-2.0
import os
import time

import redis

lock = redis.Redis(port=int(os.environ["PORT"]) + 1).lock("nightly-report")
lock.acquire()
open("held", "w").close()
time.sleep(600)
