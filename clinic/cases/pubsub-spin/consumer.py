# SPDX-License-Identifier: Apache-2.0
import os

import redis

subscription = redis.Redis(port=int(os.environ["PORT"]) + 1).pubsub()
subscription.subscribe("orders")
while True:
    message = subscription.get_message()  # <- asks
    if message and message["type"] == "message":
        print(message["data"], flush=True)
