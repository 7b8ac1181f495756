import os
import queue
import threading

import redis
from fastapi import FastAPI

app = FastAPI()
work = queue.Queue()
client = redis.Redis(unix_socket_path=os.environ["WORK"] + "/redis.sock")


def listen():
    channel = client.pubsub()
    channel.subscribe("news")
    for message in channel.listen():
        work.put(message)


def consume():
    while True:
        work.get()


threading.Thread(target=listen, daemon=True).start()
for _ in range(3):
    threading.Thread(target=consume, daemon=True).start()


@app.get("/")
def index():
    return {"visits": client.incr("visits")}
