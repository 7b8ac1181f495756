# SPDX-License-Identifier: Apache-2.0
import time

from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    time.sleep(0.02)
    return "hello"
