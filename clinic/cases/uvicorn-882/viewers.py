# SPDX-License-Identifier: Apache-2.0
"""Three viewers, from 127.0.46.1, that begin to load the film and go away."""

import os
import socket

for _ in range(3):
    upstream = ("127.0.0.1", int(os.environ["PORT"]))
    with socket.create_connection(upstream, source_address=("127.0.46.1", 0)) as sock:
        sock.sendall(b"GET /film HTTP/1.1\r\nHost: films\r\n\r\n")
        for _ in range(20):
            sock.recv(65536)
