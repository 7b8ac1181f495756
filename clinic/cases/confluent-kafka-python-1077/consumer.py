# SPDX-License-Identifier: Apache-2.0
import json
import math
import threading

from confluent_kafka import Consumer, TopicPartition

with open("broker") as file:
    BROKER = file.read()


def process(message):
    frame = json.loads(message.value())
    return [
        sum(value * math.cos(k * n) for n, value in enumerate(frame))  # <- computes
        for k in range(12)
    ]


def consume(partition):
    consumer = Consumer({"bootstrap.servers": BROKER, "group.id": "frames"})
    consumer.assign([TopicPartition("frames", partition)])
    while True:
        message = consumer.poll(1.0)
        if message is not None and not message.error():
            process(message)  # <- computes


for partition in range(4):
    threading.Thread(target=consume, args=(partition,)).start()
