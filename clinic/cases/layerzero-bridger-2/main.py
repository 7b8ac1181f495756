# SPDX-License-Identifier: Apache-2.0
import os
import random
import threading
import time

import requests

NODE = f"http://127.0.104.1:{os.environ['PORT']}/balance"


class AccountThread(threading.Thread):
    """Moves an account from one state to the next, and asks the node in between."""

    def __init__(self, account):
        super().__init__(daemon=True)
        self.account = account

    def run(self):
        with requests.Session() as session:
            while True:
                session.get(NODE, params={"account": self.account}, timeout=10)
                time.sleep(random.uniform(0.5, 1.5))


def main():
    for account in range(3):
        AccountThread(account).start()
    while True:  # <- spins
        pass  # <- spins


main()
