# SPDX-License-Identifier: Apache-2.0
import os
import subprocess

from flask import Flask

app = Flask(__name__)


@app.get("/convert")
def convert() -> str:
    return subprocess.check_output(["tools/convert"], text=True)  # <- starts


@app.get("/")
def index() -> str:
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
