# SPDX-License-Identifier: Apache-2.0
import os
import time

from flask import Flask
from flask_socketio import SocketIO, emit

app = Flask(__name__)
socketio = SocketIO(app, async_mode="threading", cors_allowed_origins="*", ping_interval=5)


@app.get("/")
def index():
    return "page\n"


@socketio.on("ask")
def ask(number):
    emit("answer", number + 1)


def tell_time():
    while True:
        socketio.sleep(1)
        socketio.emit("time", time.time())


socketio.start_background_task(tell_time)
socketio.run(app, "127.0.0.1", int(os.environ["PORT"]), allow_unsafe_werkzeug=True)
