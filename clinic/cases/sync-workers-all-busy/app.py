# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask

app = Flask(__name__)
URL = f"http://127.0.15.1:{int(os.environ['PORT']) + 1}/"


@app.get("/report")
def report() -> str:
    return requests.get(URL, timeout=30).text  # <- asks


@app.get("/health")
def health() -> str:
    return "ok\n"
