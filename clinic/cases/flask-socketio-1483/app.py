# SPDX-License-Identifier: Apache-2.0
import os
import time

from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, async_mode="eventlet")


@app.get("/")
def index() -> str:
    return "ok"


def publish() -> None:
    while True:
        socketio.emit("temperature", 21)
        time.sleep(1)  # <- sleeps


socketio.start_background_task(publish)
socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
