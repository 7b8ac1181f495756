# SPDX-License-Identifier: Apache-2.0
"""browser.py PORT: says hello and is killed: the kernel closes its connection."""

import base64
import os
import socket
import sys

talk = socket.create_connection(("127.0.0.1", int(sys.argv[1])), source_address=("127.0.107.1", 0))
key = base64.b64encode(os.urandom(16)).decode()
talk.sendall(
    "GET /ws HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
)
print(talk.recv(1000).split(b"\r\n")[0], flush=True)
talk.sendall(b"\x81\x82\x00\x00\x00\x00hi")
print(talk.recv(100), flush=True)
