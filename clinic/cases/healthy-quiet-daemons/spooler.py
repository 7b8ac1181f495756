# SPDX-License-Identifier: Apache-2.0
"""A thread looks into a directory now and then; the main thread does what it finds."""

import os
import queue
import threading
import time

jobs = queue.Queue()


def watch():
    seen = set()
    while True:
        for name in sorted(set(os.listdir("spool")) - seen):
            seen.add(name)
            jobs.put(name)
        time.sleep(2)


threading.Thread(target=watch, daemon=True).start()
print("spooler is ready", flush=True)
while True:
    name = jobs.get()
    with open(os.path.join("spool", name)) as file:
        print(name, len(file.read()), flush=True)
