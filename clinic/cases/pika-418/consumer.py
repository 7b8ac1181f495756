# SPDX-License-Identifier: Apache-2.0
import os
import time
import urllib.request

import pika
from pika.exceptions import AMQPError

CONVERTER = f"http://127.0.47.2:{int(os.environ['PORT']) + 1}/convert"


def on_task(channel, method, properties, body) -> None:
    print("task", body, flush=True)
    urllib.request.urlopen(CONVERTER).read()  # <- works
    channel.basic_ack(method.delivery_tag)


def consume() -> None:
    where = pika.ConnectionParameters("127.0.47.1", int(os.environ["PORT"]))
    channel = pika.BlockingConnection(where).channel()
    channel.queue_declare("tasks", durable=True)
    channel.basic_qos(prefetch_count=1)
    channel.basic_consume("tasks", on_task)
    channel.start_consuming()


while True:
    try:
        consume()
    except AMQPError as error:
        print("lost the connection:", repr(error), flush=True)
        time.sleep(0.5)
