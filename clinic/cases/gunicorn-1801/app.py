# SPDX-License-Identifier: Apache-2.0
import os
from urllib.request import urlopen

from flask import Flask

app = Flask(__name__)
settings = {}


@app.before_first_request
def load_settings():
    with urlopen(f"http://127.0.61.1:{int(os.environ['PORT']) + 1}/settings") as answer:  # <- loads
        settings["theme"] = answer.read()


@app.get("/")
def index():
    return settings["theme"]
