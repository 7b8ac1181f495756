# SPDX-License-Identifier: Apache-2.0
"""A thread for each service checks it and tells of changes; the main thread acts on them."""

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

STATE = Path("state")


class ServiceCheck(threading.Thread):
    def __init__(self, service, action):
        super().__init__(name=service)
        self.service = service
        self.action = action
        self.start()

    def run(self):
        up = None
        while True:
            result = subprocess.run(["/bin/true"], check=False).returncode == 0
            with (STATE / f"{self.service}.log").open("a") as log:
                log.write(f"{time.time()} {self.service} {result}\n" * 20)
            if result != up:
                self.action.put((self.service, result))
                up = result
            time.sleep(0.2)


def main():
    action = queue.Queue()
    for service in ("ldap", "ntp", "dns"):
        ServiceCheck(service, action)
    while True:
        service, up = action.get()  # <- waits
        print(service, "up" if up else "down", "in", os.getpid(), flush=True, file=sys.stderr)


main()
