# SPDX-License-Identifier: Apache-2.0
import os

import psutil
from flask import Flask

app = Flask(__name__)


@app.get("/metrics")
def metrics() -> dict[str, float]:
    return {path: psutil.disk_usage(path).percent for path in ("/", "backup")}  # <- asks


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
