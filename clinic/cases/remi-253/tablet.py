# SPDX-License-Identifier: Apache-2.0
"""A tablet opens the page and its websocket, and then loses its wifi: it reads nothing any more."""

import os
import socket
import time

ADDRESS = ("127.0.0.1", int(os.environ["PORT"]))


def connected(address):
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    made.bind((address, 0))
    made.connect(ADDRESS)
    return made


page = connected("127.0.93.1")
page.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
head = b""
while b"\r\n\r\n" not in head:
    head += page.recv(65_536)
page.close()
cookie = head.lower().split(b"set-cookie: ")[1].split(b";")[0].split(b"\r\n")[0]
events = connected("127.0.93.1")
events.sendall(
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Cookie: " + cookie + b"\r\n\r\n"
)
events.recv(4096)
events.sendall(bytes((0x81, 0x80 | 9, 0, 0, 0, 0)) + b"connected")
time.sleep(1000)
