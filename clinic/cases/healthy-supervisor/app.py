# SPDX-License-Identifier: Apache-2.0
import sys

from flask import Flask

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "ok\n"


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
