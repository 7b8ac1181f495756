# SPDX-License-Identifier: Apache-2.0
import os
import tempfile

from flask import Flask, request

app = Flask(__name__)


@app.put("/upload")
def upload() -> str:
    size = 0
    with tempfile.TemporaryFile(dir=os.environ["WORK"]) as file:
        while piece := request.stream.read(65536):
            file.write(piece)
            size += len(piece)
    return f"{size}\n"


@app.get("/")
def index() -> str:
    return "hello\n"
