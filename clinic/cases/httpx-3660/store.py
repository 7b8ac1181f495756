# SPDX-License-Identifier: Apache-2.0
"""An object store as far as PUTs go: it reads as quickly as they come."""

import os
import socket
import threading


def serve(connection):
    while data := connection.recv(65536):
        head, rest = data.split(b"\r\n\r\n", 1)
        left = int(head.lower().split(b"content-length:")[1].split()[0]) - len(rest)
        buffer = bytearray(1 << 20)
        while left:
            left -= connection.recv_into(buffer, min(left, len(buffer)))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


listener = socket.create_server(("127.0.0.1", int(os.environ["STORE"])))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
