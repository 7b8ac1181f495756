# SPDX-License-Identifier: Apache-2.0
import os

import requests
from celery import Celery

URL = f"redis://127.0.0.1:{os.environ['DB']}/0"
app = Celery("tasks", broker=URL, backend=URL)
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    beat_schedule={"tidy": {"task": "tasks.tidy", "schedule": 1.0}},
)
http = requests.Session()


@app.task(autoretry_for=(requests.RequestException,), max_retries=3)
def notify(number: int) -> int:
    return http.get(f"http://127.0.0.1:{os.environ['PORT']}/{number}", timeout=5).status_code


@app.task(ignore_result=True)
def tidy() -> None:
    sum(range(10_000))
