# SPDX-License-Identifier: Apache-2.0
from flask import Flask, request

app = Flask(__name__)


@app.post("/")
def upload():
    return str(request.files["file"].content_length)  # <- parses


@app.get("/")
def index():
    return "ok"
