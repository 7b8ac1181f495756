# SPDX-License-Identifier: Apache-2.0
import os

import requests
from flask import Flask

app = Flask(__name__)
PAGES = f"http://127.0.81.1:{int(os.environ['PORT']) + 1}"
session = requests.Session()


@app.get("/<path:page>")
def proxied(page: str) -> bytes:
    return session.get(f"{PAGES}/{page}").content  # <- asks


@app.get("/_status")
def status() -> str:
    return "ok\n"
