# SPDX-License-Identifier: Apache-2.0
import os
import threading

import requests

URL = f"http://127.0.77.1:{os.environ['PORT']}/"


def count():
    while True:
        total = 0
        for number in range(20_000):  # <- computes
            total += number * number  # <- computes


def fetch():
    session = requests.Session()
    while True:
        session.get(URL)


for function in (count, count, count, count, fetch, fetch):
    threading.Thread(target=function).start()
