# SPDX-License-Identifier: Apache-2.0
"""Uploads a file of 40 MB without line ends, but for a carriage return in front."""

import http.client
import os

BODY = (
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.dat"\r\n'
    b"Content-Type: application/octet-stream\r\n\r\n\r"
    + b"1234567890" * 4_000_000
    + b"\r\n--xyz--\r\n"
)
HEADERS = {"Content-Type": "multipart/form-data; boundary=xyz"}

while True:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
    connection.request("POST", "/", BODY, HEADERS)
    print(connection.getresponse().status, flush=True)
    connection.close()
