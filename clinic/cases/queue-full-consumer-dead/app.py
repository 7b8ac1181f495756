# SPDX-License-Identifier: Apache-2.0
import os
import queue
import threading

from flask import Flask

app = Flask(__name__)
events: queue.Queue[dict[str, str]] = queue.Queue(maxsize=64)


def consume() -> None:
    while True:
        print(events.get()["user"])  # KeyError: the thread ends here


@app.get("/")
def index() -> str:
    events.put({"path": "/"})  # <- puts
    return "ok\n"


threading.Thread(target=consume, daemon=True).start()
app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
