# SPDX-License-Identifier: Apache-2.0
import os

from confluent_kafka import Producer

producer = Producer({"bootstrap.servers": f"127.0.27.1:{int(os.environ['PORT']) + 1}"})
for number in range(100):
    producer.produce("orders", str(number))
producer.flush()  # <- waits
print("done", flush=True)
