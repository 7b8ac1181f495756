# SPDX-License-Identifier: Apache-2.0
import sys

from flask import Flask, request
from simple_websocket import ConnectionClosed, Server

app = Flask(__name__)


@app.get("/")
def index():
    return "well"


@app.route("/ws", websocket=True)
def chat():
    ws = Server(request.environ)  # <- accepts
    try:
        while True:
            ws.send(ws.receive())
    except ConnectionClosed:
        return ""


app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
