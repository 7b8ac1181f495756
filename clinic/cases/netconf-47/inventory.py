# SPDX-License-Identifier: Apache-2.0
import logging
import os
import threading
import time

from netconf.client import NetconfSSHSession

logging.basicConfig(level=logging.WARNING)
session = NetconfSSHSession("127.0.112.1", int(os.environ["PORT"]) + 1, "admin", "secret")


def poll(what):
    while True:
        session.get(f"<{what}/>", timeout=1)  # <- asks
        print(what, flush=True)
        time.sleep(0.3)


for what in ("interfaces", "power", "alarms"):
    threading.Thread(target=poll, args=(what,)).start()
