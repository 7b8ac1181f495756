# SPDX-License-Identifier: Apache-2.0
import datetime
import os
import time

from cachier import cachier
from flask import Flask

app = Flask(__name__)


@cachier(stale_after=datetime.timedelta(seconds=1), cache_dir="cache")
def totals(day: str) -> int:
    time.sleep(2)
    return len(day)


@app.get("/totals")
def index() -> str:
    return f"{totals('today')}\n"  # <- asks


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
