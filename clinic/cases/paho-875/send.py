# SPDX-License-Identifier: Apache-2.0
import os
import time

import paho.mqtt.client as mqtt

client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "gate")
client.connect("127.0.44.1", int(os.environ["PORT"]))
client.loop_start()
while True:
    client.publish("tickets/7", "read", qos=1)
    time.sleep(0.5)
