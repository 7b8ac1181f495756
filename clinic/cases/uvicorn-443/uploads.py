# SPDX-License-Identifier: Apache-2.0
"""Uploads a hundred megabytes again and again; prints how long each took."""

import http.client
import os
import time

FILM = os.urandom(1_000_000) * 100

while True:
    start = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
    connection.request("POST", "/", FILM)
    print(connection.getresponse().read(), f"{time.monotonic() - start:.1f} s", flush=True)
    connection.close()
