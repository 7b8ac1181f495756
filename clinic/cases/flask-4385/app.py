# SPDX-License-Identifier: Apache-2.0
import os
import queue
import time

from flask import Flask, Response

app = Flask(__name__)
news = queue.Queue()


@app.get("/raw")
def raw():
    def parts():
        while True:
            try:
                yield news.get_nowait()
            except queue.Empty:
                yield b""
                time.sleep(0.01)  # <- sleeps

    return Response(parts(), mimetype="application/octet-stream")


app.run(port=int(os.environ["PORT"]), threaded=True)
