# SPDX-License-Identifier: Apache-2.0
import os
import time

from scapy.layers.http import HTTP_Client

HOSTS = ("127.0.86.2", "127.0.86.2", "127.0.86.2", "127.0.86.3")
while True:
    for host in HOSTS:
        client = HTTP_Client(verb=False)
        answer = client.request(f"http://{host}:{os.environ['WEB']}/", timeout=3)  # <- asks
        print(host, answer is not None, flush=True)
        client.close()
        time.sleep(0.2)
