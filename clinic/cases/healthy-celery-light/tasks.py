# SPDX-License-Identifier: Apache-2.0
import os

from celery import Celery

URL = f"redis://127.0.0.1:{os.environ['DB']}/0"
app = Celery("tasks", broker=URL, backend=URL)


@app.task
def page(number: int) -> int:
    return number * 2
