# SPDX-License-Identifier: Apache-2.0
import json

from confluent_kafka import Consumer, TopicPartition

with open("broker") as file:
    consumer = Consumer({"bootstrap.servers": file.read(), "group.id": "frames"})
consumer.assign([TopicPartition("frames", partition) for partition in range(4)])
while True:
    message = consumer.poll(1.0)
    if message is not None and not message.error():
        print(sum(json.loads(message.value())), flush=True)
