# SPDX-License-Identifier: Apache-2.0
import concurrent.futures
import itertools
import os
import time

import requests

URL = f"https://127.0.29.1:{int(os.environ['PORT']) + 1}/documents"
session = requests.Session()  # its pool keeps 10 connections, and gives out as many as are wanted
session.trust_env = False
session.verify = "cert.pem"


def index(number: int) -> str:
    return session.get(f"{URL}/{number}", timeout=10).text  # <- asks


numbers = itertools.count()
with concurrent.futures.ThreadPoolExecutor(32) as executor:
    while True:
        list(executor.map(index, itertools.islice(numbers, 32)))
        time.sleep(0.05)
