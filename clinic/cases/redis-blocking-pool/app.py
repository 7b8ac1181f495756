# SPDX-License-Identifier: Apache-2.0
import os

import redis
from flask import Flask

app = Flask(__name__)
pool = redis.BlockingConnectionPool(
    host="127.0.0.1", port=int(os.environ["DB"]), max_connections=3, timeout=20
)
store = redis.Redis(connection_pool=pool)


@app.get("/events")
def events() -> str:
    return str(store.blpop("events", timeout=60))


@app.get("/")
def index() -> str:
    return str(store.incr("hits"))  # <- asks


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
