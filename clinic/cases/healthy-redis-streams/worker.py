# SPDX-License-Identifier: Apache-2.0
import hashlib
import os

import redis

store = redis.Redis(port=int(os.environ["DB"]))
try:
    store.xgroup_create("orders", "billing", mkstream=True)
except redis.ResponseError:
    pass
while True:
    for _, entries in store.xreadgroup("billing", "one", {"orders": ">"}, count=10, block=2000):
        for number, order in entries:
            digest = hashlib.pbkdf2_hmac("sha256", order[b"number"], b"salt", 2000).hex()
            with store.pipeline() as pipe:
                pipe.set(f"bill:{digest[:4]}", digest).xack("orders", "billing", number)
                pipe.execute()
