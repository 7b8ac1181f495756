# SPDX-License-Identifier: Apache-2.0
import os

import redis

store = redis.Redis(port=int(os.environ["DB"]))
channel = store.pubsub()
channel.subscribe("orders")
print("listening", flush=True)
for message in channel.listen():
    if message["type"] == "message":
        store.incr("seen")
