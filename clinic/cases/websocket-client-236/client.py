# SPDX-License-Identifier: Apache-2.0
import os
import time
import urllib.request

import websocket

PORT = int(os.environ["PORT"])


def on_message(connection, message) -> None:
    print("message", message, flush=True)
    urllib.request.urlopen(f"http://127.0.52.2:{PORT + 1}/orders").read()  # <- works


def on_close(connection, code, reason) -> None:
    print("closed", code, reason, flush=True)


while True:
    app = websocket.WebSocketApp(
        f"ws://127.0.52.1:{PORT}/ticker",
        on_message=on_message,
        on_close=on_close,
    )
    app.run_forever()
    time.sleep(0.2)
