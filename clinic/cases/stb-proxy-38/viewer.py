# SPDX-License-Identifier: Apache-2.0
import os
import socket

with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as sock:
    sock.sendall(b"GET /channel HTTP/1.1\r\nHost: tv\r\n\r\n")
    while sock.recv(1 << 20):
        pass
