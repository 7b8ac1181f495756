# SPDX-License-Identifier: Apache-2.0
import os
import time

from celery import Celery

app = Celery(broker=f"redis://127.0.0.1:{os.environ['DB']}/0")
while True:
    for _ in range(100):
        app.send_task("tasks.remind", ["word " * 3_000], countdown=3600)
    time.sleep(0.1)
