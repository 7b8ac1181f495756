# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask

app = Flask(__name__)
SERVICE = f"http://api.example.com:{int(os.environ['PORT']) + 1}/"


@app.get("/")
def index() -> str:
    return requests.get(SERVICE, timeout=5).text  # <- calls
