# SPDX-License-Identifier: Apache-2.0
"""Browsers; after two seconds somebody connects who says nothing."""

import http.client
import os
import socket
import ssl
import threading
import time

PORT = int(os.environ["PORT"])
trust = ssl.create_default_context(cafile="cert.pem")
trust.check_hostname = False


def browser():
    while True:
        site = http.client.HTTPSConnection("127.0.0.1", PORT, context=trust, timeout=60)
        try:
            site.request("GET", "/")
            site.getresponse().read()
        except OSError as error:
            print(repr(error), flush=True)
        site.close()
        time.sleep(0.3)


for _ in range(3):
    threading.Thread(target=browser).start()
time.sleep(2)
kept = socket.create_connection(("127.0.0.1", PORT), source_address=("127.0.75.1", 0))
print("silent", flush=True)
threading.Event().wait()
