# SPDX-License-Identifier: Apache-2.0
import os
import threading
import time

from flask import Flask

app = Flask(__name__)
repository, database = threading.Lock(), threading.Lock()


@app.get("/commit")
def commit() -> str:
    with repository:
        time.sleep(0.01)  # writes the translation
        with database:  # <- commits
            return "ok\n"


@app.get("/stats")
def stats() -> str:
    with database:
        time.sleep(0.01)  # reads the numbers
        with repository:  # <- counts
            return "ok\n"


@app.get("/")
def index() -> str:
    with database:  # <- shows
        return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
