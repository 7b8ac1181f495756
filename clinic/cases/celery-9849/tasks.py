# SPDX-License-Identifier: Apache-2.0
import os

from celery import Celery
from celery.signals import worker_ready

app = Celery("tasks", broker=f"redis://127.0.0.1:{os.environ['DB']}/0")
app.conf.task_ignore_result = True


@worker_ready.connect
def tell(**_: object) -> None:
    print(" ready", flush=True)


@app.task
def remind(text: str) -> int:
    return len(text)
