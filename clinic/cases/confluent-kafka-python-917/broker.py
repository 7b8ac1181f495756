# SPDX-License-Identifier: Apache-2.0
"""broker.py MESSAGES: a Kafka cluster (librdkafka's own), and so many messages a second."""

import json
import random
import sys
import time

from confluent_kafka import Producer

rate, sent = float(sys.argv[1]), 0
settings = {"test.mock.num.brokers": 1, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000}
producer = Producer({"bootstrap.servers": "localhost", **settings})
for partition in range(4):
    producer.produce("tasks", b"{}", partition=partition)
producer.flush()
(one,) = producer.list_topics().brokers.values()
with open("broker.new", "w") as file:
    file.write(f"{one.host}:{one.port}")
import os  # noqa: E402

os.rename("broker.new", "broker")
began = time.monotonic()
while True:
    while sent < (time.monotonic() - began) * rate:
        frame = json.dumps([random.random() for _ in range(150)])
        producer.produce("tasks", frame, partition=sent % 4)
        sent += 1
    producer.poll(0)
    time.sleep(0.01)
