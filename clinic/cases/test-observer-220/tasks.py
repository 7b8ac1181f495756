# SPDX-License-Identifier: Apache-2.0
import os

import requests
from celery import Celery

app = Celery("tasks", broker=f"redis://127.0.0.1:{os.environ['DB']}/0")
app.conf.broker_connection_retry_on_startup = True


@app.task
def promote() -> str:
    url = f"http://127.0.62.1:{os.environ['STORE']}/info/snap"
    return requests.get(url).json()["revision"]  # <- asks


@app.task
def clean() -> None:
    pass
