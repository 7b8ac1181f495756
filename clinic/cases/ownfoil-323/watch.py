# SPDX-License-Identifier: Apache-2.0
"""Keeps a library's index up to date: files that come are added."""

import os
import sys
import time

from watchdog.events import PatternMatchingEventHandler
from watchdog.observers.polling import PollingObserver


class Library(PatternMatchingEventHandler):
    def __init__(self):
        super().__init__(patterns=["*.nsp"])
        self.files = set()

    def on_created(self, event):
        self.files.add(event.src_path)


def fill(root):
    for folder in range(1200):
        os.makedirs(f"{root}/{folder}")
        for number in range(50):
            with open(f"{root}/{folder}/{number}.nsp", "w"):
                pass


root = sys.argv[1]
fill(root)
observer = PollingObserver()
observer.schedule(Library(), root, recursive=True)
observer.start()
with open("started", "w"):
    pass
while True:
    time.sleep(1)
