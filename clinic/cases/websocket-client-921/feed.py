# SPDX-License-Identifier: Apache-2.0
import os
import time

import websocket


def on_message(feed, message):
    print("message received", len(message), time.time(), flush=True)


feed = websocket.WebSocketApp(f"ws://127.0.110.1:{os.environ['WEB']}/events", on_message=on_message)
feed.run_forever(ping_interval=50)  # <- listens
