# SPDX-License-Identifier: Apache-2.0
import os
import time

from celery import Celery

app = Celery("tasks", broker=f"redis://127.0.0.1:{os.environ['DB']}/0")
app.conf.broker_connection_retry_on_startup = True


@app.task
def export() -> None:
    time.sleep(600)  # <- long


@app.task
def mail() -> None:
    pass
