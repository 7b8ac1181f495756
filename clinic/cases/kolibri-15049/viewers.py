# SPDX-License-Identifier: Apache-2.0
"""viewers.py URL: two people who look at one new film after the other."""

import sys
import threading
import time
import urllib.request


def watch(viewer):
    for number in range(100_000):
        began = time.monotonic()
        with urllib.request.urlopen(f"{sys.argv[1]}/{viewer}-{number}.mp4") as film:
            size = len(film.read())
        print(f"{size} bytes in {time.monotonic() - began:.2f} s", flush=True)


for viewer in "ab":
    threading.Thread(target=watch, args=(viewer,)).start()
