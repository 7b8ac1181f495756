# SPDX-License-Identifier: Apache-2.0
import os
import signal
import time

import redis

running = True


def stop(number: int, frame: object) -> None:
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
store = redis.Redis(port=int(os.environ["DB"]))
store.xgroup_create("predictions", "workers", mkstream=True)


def next_message() -> bytes | None:
    found = store.xreadgroup("workers", "one", {"predictions": ">"}, count=1)  # <- asks
    return found[0][1][0][0] if found else None


while running:
    if message := next_message():
        time.sleep(0.1)
        store.xack("predictions", "workers", message)
