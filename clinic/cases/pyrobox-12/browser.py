# SPDX-License-Identifier: Apache-2.0
"""browser.py PORT: begins to upload a large file from 127.0.91.1, and is closed meanwhile."""

import socket
import sys

talk = socket.create_connection(("127.0.0.1", int(sys.argv[1])), source_address=("127.0.91.1", 0))
talk.sendall(
    b"POST /upload HTTP/1.1\r\nHost: box\r\nContent-Length: 200000000\r\n"
    b"Content-Type: multipart/form-data; boundary=--x1\r\n\r\n"
    b'----x1\r\nContent-Disposition: form-data; name="file"; filename="film.bin"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n"
)
for _ in range(100):
    talk.sendall(b"0123456789\n" * 1000)
