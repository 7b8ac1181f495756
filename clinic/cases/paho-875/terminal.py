# SPDX-License-Identifier: Apache-2.0
import os

import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "terminal")


def confirm(topic: str) -> None:
    sent = client.publish("confirmed", topic, qos=2)
    sent.wait_for_publish()  # <- waits


def on_connect(client, userdata, flags, reason, properties) -> None:
    client.subscribe("tickets/#")
    print("subscribed", flush=True)


def on_message(client, userdata, message) -> None:
    print(message.topic, flush=True)
    confirm(message.topic)


client.on_connect = on_connect
client.on_message = on_message
client.connect("127.0.44.1", int(os.environ["PORT"]))
client.loop_forever()
