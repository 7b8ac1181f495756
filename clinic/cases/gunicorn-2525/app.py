# SPDX-License-Identifier: Apache-2.0
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
executor = ThreadPoolExecutor(2)


def thumbnails():
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        sum(range(5000))  # <- computes


@app.get("/upload")
def upload():
    executor.submit(thumbnails)
    return "ok"


@app.get("/")
def index():
    return "hello"
