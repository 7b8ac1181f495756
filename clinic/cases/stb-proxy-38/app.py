# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

from flask import Flask, Response

app = Flask(__name__)


@app.get("/channel")
def channel():
    def stream():
        with subprocess.Popen([sys.executable, "tuner.py"], stdout=subprocess.PIPE) as tuner:
            for chunk in iter(tuner.stdout.readline, b""):  # <- yields
                yield chunk  # <- yields

    return Response(stream(), mimetype="application/octet-stream")


@app.get("/")
def index():
    return "ok"
