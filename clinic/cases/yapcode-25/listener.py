# SPDX-License-Identifier: Apache-2.0
"""Three browser tabs that listen to events, from 127.0.47.1."""

import os
import socket
import threading


def listen():
    upstream = ("127.0.0.1", int(os.environ["PORT"]))
    sock = socket.create_connection(upstream, source_address=("127.0.47.1", 0))
    sock.sendall(b"GET /events HTTP/1.1\r\nHost: yap\r\n\r\n")
    while sock.recv(65536):
        pass


for _ in range(3):
    threading.Thread(target=listen).start()
