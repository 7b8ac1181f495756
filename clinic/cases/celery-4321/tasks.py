# SPDX-License-Identifier: Apache-2.0
import os

from celery import Celery

app = Celery("tasks", broker=f"redis://127.0.41.1:{int(os.environ['PORT']) + 2}/0")
app.conf.task_ignore_result = True


@app.task
def index_article(text: str) -> int:
    return len(text.split())
