# SPDX-License-Identifier: Apache-2.0
import os
import time

import pika


def on_task(channel, method, properties, body) -> None:
    sum(number * number for number in range(20_000))
    time.sleep(0.02)  # a device that takes its time
    channel.basic_ack(method.delivery_tag)


where = pika.ConnectionParameters("127.0.0.1", int(os.environ["PORT"]))
channel = pika.BlockingConnection(where).channel()
channel.queue_declare("tasks", durable=True)
channel.basic_qos(prefetch_count=10)
channel.basic_consume("tasks", on_task)
channel.start_consuming()
