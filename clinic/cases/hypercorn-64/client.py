# SPDX-License-Identifier: Apache-2.0
"""Asks again and again on one connection; prints how long it takes."""

import os
import time

import requests

session = requests.Session()
url = f"http://127.0.0.1:{os.environ['PORT']}/"
while True:
    begin = time.monotonic()
    session.post(url, data="Action=ListQueues")
    print(f"{1000 * (time.monotonic() - begin):.0f} ms", flush=True)
