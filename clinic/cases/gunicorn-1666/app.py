# SPDX-License-Identifier: Apache-2.0
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
background = ThreadPoolExecutor(2)


def render(name):
    time.sleep(0.01)
    return f"report of {name}"


list(background.map(render, ["one", "two", "three", "four"]))  # filled before the first request


@app.route("/")
def report():
    return background.submit(render, "day").result()  # <- waits


@app.route("/health")
def health():
    return "ok"
