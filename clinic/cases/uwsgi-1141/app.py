# SPDX-License-Identifier: Apache-2.0
import threading
import time

from flask import Flask

app = Flask(__name__)
started = []


def report() -> None:
    while True:
        time.sleep(0.2)
        with open("metrics.log", "a") as log:  # <- ticks
            log.write("tick\n")


@app.get("/")
def index() -> str:
    if not started:
        started.append(threading.Thread(target=report, daemon=True))
        started[0].start()
    return "ok"
