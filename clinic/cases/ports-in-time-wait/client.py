# SPDX-License-Identifier: Apache-2.0
import time

import requests


def ask(number: int) -> str:
    return requests.get(f"http://127.0.0.1:8000/{number}", timeout=5).text  # <- asks


number = 0
while True:
    number += 1
    try:
        ask(number)
    except requests.ConnectionError as error:
        print("failed", error, flush=True)
        time.sleep(0.05)
