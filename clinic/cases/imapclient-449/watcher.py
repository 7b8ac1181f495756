# SPDX-License-Identifier: Apache-2.0
import os

from imapclient import IMAPClient

with IMAPClient("10.9.3.9", int(os.environ["PORT"]), ssl=False) as server:
    server.login("desk", "secret")
    server.select_folder("INBOX", readonly=True)
    while True:
        server.idle()
        print("idle started", flush=True)
        for _ in range(2):
            print("server sent:", server.idle_check(timeout=1.5) or "nothing", flush=True)
        print("stopping idle", flush=True)
        server.idle_done()  # <- stops
        print("idle stopped", flush=True)
