# SPDX-License-Identifier: Apache-2.0
import os
import random
import threading
import time

import requests

URL = f"http://127.0.83.1:{os.environ['PORT']}/v1/table/t/query/"


def search(session: requests.Session) -> None:
    session.post(URL, json={"vector": [0.5] * 8, "k": 10}, timeout=10)  # <- asks


def users() -> None:
    session = requests.Session()
    while True:
        try:
            search(session)
        except requests.ConnectionError as error:
            print(error, flush=True)
        time.sleep(random.choice((0.1, 0.2, 0.52)))


for _ in range(6):
    threading.Thread(target=users).start()
