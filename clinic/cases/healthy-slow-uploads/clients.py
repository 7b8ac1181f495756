# SPDX-License-Identifier: Apache-2.0
"""Two people who upload 40 MB each, at 4 MB a second."""

import http.client
import os
import threading
import time

PIECE = bytes(200_000)


def pieces():
    for _ in range(200):
        yield PIECE
        time.sleep(0.05)


def client():
    while True:
        server = http.client.HTTPConnection(
            "127.0.0.1", int(os.environ["PORT"]), source_address=("127.0.71.1", 0)
        )
        try:
            size = {"Content-Length": str(200 * len(PIECE))}
            server.request("PUT", "/upload", pieces(), size)
            print(server.getresponse().read(), flush=True)
        except (OSError, http.client.HTTPException) as error:
            print(repr(error), flush=True)
            time.sleep(0.5)
        server.close()


for _ in range(2):
    threading.Thread(target=client).start()
