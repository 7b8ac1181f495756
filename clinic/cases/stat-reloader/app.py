# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "ok\n"


app.run("127.0.0.1", int(os.environ["PORT"]), debug=True, reloader_type="stat")
