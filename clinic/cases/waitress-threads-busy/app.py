# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask

app = Flask(__name__)
session = requests.Session()


@app.get("/")
def index() -> str:
    return session.get(f"http://127.0.9.1:{int(os.environ['PORT']) + 1}/podcasts").text  # <- asks
