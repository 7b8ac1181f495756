# SPDX-License-Identifier: Apache-2.0
import os
import time

from distributed import Client


def square(number):
    time.sleep(0.02)
    return number * number


client = Client(f"tcp://127.0.0.1:{os.environ['PORT']}")
start = 0
while True:
    start += 20
    client.submit(sum, client.map(square, range(start, start + 20))).result()
    time.sleep(0.6)
