# SPDX-License-Identifier: Apache-2.0
import os
import urllib.request

import pika

CONVERTER = f"http://127.0.0.1:{int(os.environ['PORT']) + 1}/convert"


def on_task(channel, method, properties, body) -> None:
    urllib.request.urlopen(CONVERTER, timeout=10).read()
    channel.basic_ack(method.delivery_tag)


where = pika.ConnectionParameters("127.0.0.1", int(os.environ["PORT"]))
channel = pika.BlockingConnection(where).channel()
channel.queue_declare("tasks", durable=True)
channel.basic_qos(prefetch_count=1)
channel.basic_consume("tasks", on_task)
channel.start_consuming()
