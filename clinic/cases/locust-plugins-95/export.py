# SPDX-License-Identifier: Apache-2.0
from confluent_kafka import Producer

producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "mock"})
number = 0
while True:
    number += 1
    producer.produce("measurements", f"measurement {number}")
    producer.poll()  # <- waits
    if number % 500 == 0:
        print(number, flush=True)
