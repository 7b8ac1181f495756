# SPDX-License-Identifier: Apache-2.0
"""Some tasks; then a large one, of which only the first part gets through; then more."""

import os
import time

from celery import Celery

app = Celery(broker=f"redis://127.0.0.1:{os.environ['DB']}/0")
for _ in range(3):
    app.send_task("tasks.index_article", ["some words"])
time.sleep(1)
app.send_task("tasks.index_article", ["word " * 20_000])
for _ in range(20):
    time.sleep(0.5)
    app.send_task("tasks.index_article", ["some words"])
