# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask

app = Flask(__name__)


@app.get("/")
def forecast() -> str:
    return requests.get("http://forecast.example:8000/", timeout=4).text  # <- asks


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
