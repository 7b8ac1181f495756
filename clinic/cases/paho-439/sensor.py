# SPDX-License-Identifier: Apache-2.0
import os

import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.connect("127.0.105.1", int(os.environ["PORT"]))


def report(value: int) -> None:
    sent = client.publish("cellar/temperature", str(value), qos=1)
    print("published", value, flush=True)
    sent.wait_for_publish()  # <- waits


for number in range(1000):
    report(number)
