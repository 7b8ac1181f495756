# SPDX-License-Identifier: Apache-2.0
"""What measures, and sends all it has each half second."""

import json
import socket
import sys
import time

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.42.1", int(sys.argv[1])))
message = json.dumps({f"cell-{n}": n * n for n in range(60)}).encode()
while True:
    for _ in range(400):
        client.send(message)
    time.sleep(0.5)
