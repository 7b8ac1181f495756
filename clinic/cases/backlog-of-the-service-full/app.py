# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask

app = Flask(__name__)
SERVICE = f"http://127.0.33.1:{int(os.environ['PORT']) + 1}/"


@app.get("/")
def index() -> str:
    return requests.get(SERVICE).text  # <- calls


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
