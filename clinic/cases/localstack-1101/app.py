# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask
from runner import run

app = Flask(__name__)


@app.get("/invoke")
def invoke() -> tuple[bytes, int]:
    output, code = run("cat file.txt")
    return output, 500 if code else 200


app.run("127.0.0.1", int(os.environ["PORT"]))
