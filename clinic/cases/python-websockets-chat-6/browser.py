# SPDX-License-Identifier: Apache-2.0
import os
import time

import websocket

url = f"ws://127.0.0.1:{os.environ['PORT']}/"
outbox = websocket.create_connection(url + "submit")
inbox = websocket.create_connection(url + "receive")
while True:
    outbox.send("hello")
    print(inbox.recv(), flush=True)
    time.sleep(1)
