# SPDX-License-Identifier: Apache-2.0
"""A health check of a load balancer that is not polite: it sends a request and resets at once."""

import os
import socket
import struct
import time

while True:
    for _ in range(20):
        client = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"GET / HTTP/1.1\r\nHost: site\r\n\r\n")
        client.close()
    time.sleep(1)
