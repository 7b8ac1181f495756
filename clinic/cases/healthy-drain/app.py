# SPDX-License-Identifier: Apache-2.0
import time

from flask import Flask, Response

app = Flask(__name__)


@app.get("/download")
def download():
    def parts():
        for _ in range(80):
            yield b"x" * 1000
            time.sleep(0.1)

    return Response(parts())
