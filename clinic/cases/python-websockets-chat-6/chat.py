# SPDX-License-Identifier: Apache-2.0
"""Whoever is connected gets what the others say, which comes by way of Redis."""

import os

import gevent
import redis
from flask import Flask
from flask_sockets import Sockets

app = Flask(__name__)
sockets = Sockets(app)
store = redis.from_url(f"redis://127.0.0.1:{os.environ['STORE']}")


class Chat:
    def __init__(self):
        self.clients = []
        self.pubsub = store.pubsub()
        self.pubsub.subscribe("chat")

    def send(self, client, said):
        try:
            client.send(said)
        except Exception:
            self.clients.remove(client)

    def run(self):
        for message in self.pubsub.listen():
            if message["type"] == "message":
                for client in self.clients:
                    gevent.spawn(self.send, client, message["data"].decode())


chat = Chat()
gevent.spawn(chat.run)


@sockets.route("/submit")
def inbox(ws):
    while not ws.closed:
        gevent.sleep()
        said = ws.receive()
        if said:
            store.publish("chat", said)


@sockets.route("/receive")
def outbox(ws):
    chat.clients.append(ws)
    while not ws.closed:
        gevent.sleep()  # <- sleeps


@app.route("/")
def index():
    return "chat"
