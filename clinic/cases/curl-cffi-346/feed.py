# SPDX-License-Identifier: Apache-2.0
import os

from curl_cffi.requests import Session


def on_message(feed, message):
    print(len(message), flush=True)


with Session() as session:
    url = f"ws://127.0.109.1:{os.environ['WEB']}/marketdata"
    feed = session.ws_connect(url, on_message=on_message)
    feed.run_forever()  # <- listens
