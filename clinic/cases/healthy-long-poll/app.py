# SPDX-License-Identifier: Apache-2.0
import os
import threading

from flask import Flask

app = Flask(__name__)
news = threading.Condition()


@app.get("/events")
def events() -> str:
    with news:
        news.wait(timeout=25)  # until somebody publishes
    return "[]\n"


@app.get("/")
def index() -> str:
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
