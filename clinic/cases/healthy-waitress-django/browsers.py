# SPDX-License-Identifier: Apache-2.0
"""Browsers: three pages each, then they leave; some by closing the laptop in the middle."""

import http.client
import os
import random
import threading
import time


def browser():
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
        for _ in range(3):
            connection.request("GET", random.choice(["/", "/article/3", "/article/40"]))
            if random.random() < 0.1:
                break
            connection.getresponse().read()
            time.sleep(random.uniform(0.2, 0.6))
        connection.close()


for _ in range(4):
    threading.Thread(target=browser).start()
