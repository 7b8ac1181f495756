# SPDX-License-Identifier: Apache-2.0
from gevent import monkey

monkey.patch_all()

import os
import queue

from flask import Flask, Response
from gevent.pywsgi import WSGIServer

app = Flask(__name__)
listeners = []


@app.get("/events")
def events():
    mine = queue.Queue()
    listeners.append(mine)

    def stream():
        try:
            while True:
                yield f"data: {mine.get()}\n\n"
        finally:
            listeners.remove(mine)

    return Response(stream(), mimetype="text/event-stream")


@app.get("/")
def index():
    return str(len(listeners))


WSGIServer(("127.0.0.1", int(os.environ["PORT"])), app, log=None).serve_forever()
