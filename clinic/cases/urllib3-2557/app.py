# SPDX-License-Identifier: Apache-2.0
import os

import urllib3
from flask import Flask

FILES = f"http://127.0.43.1:{int(os.environ['PORT']) + 1}/file"
app = Flask(__name__)
http = urllib3.PoolManager(maxsize=4, block=True)


@app.get("/")
def exists() -> str:
    with http.request("GET", FILES, preload_content=False) as answer:  # <- asks
        return str(answer.status)


@app.get("/health")
def health() -> str:
    return "ok"
