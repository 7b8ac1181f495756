# SPDX-License-Identifier: Apache-2.0
import os
import subprocess

from flask import Flask

app = Flask(__name__)


@app.get("/run")
def run() -> str:
    child = subprocess.Popen(["sleep", "1"])
    while child.poll() is None:  # <- looks
        pass
    return f"{child.returncode}\n"


@app.get("/")
def index() -> str:
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
