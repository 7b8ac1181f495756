# SPDX-License-Identifier: Apache-2.0
import os

import requests
from confluent_kafka import Consumer

with open("broker") as file:
    BROKER = file.read()


def process(message):
    print(os.getpid(), "message", message.partition(), message.offset(), flush=True)
    requests.get(f"http://127.0.74.1:{os.environ['PORT']}/process")  # <- works


consumer = Consumer(
    {
        "bootstrap.servers": BROKER,
        "group.id": "workers",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe(["tasks"])
while True:
    message = consumer.poll(1.0)
    if message is None or message.error():
        print(os.getpid(), "try poll", flush=True)
        continue
    process(message)
    consumer.commit(message)
