# SPDX-License-Identifier: Apache-2.0
import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.Redis(host="127.0.0.1", port=int(os.environ["DB"]))


@app.get("/")
def index() -> str:
    return str(store.ping())  # <- asks
