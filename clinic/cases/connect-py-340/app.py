# SPDX-License-Identifier: Apache-2.0
import os
from wsgiref.simple_server import make_server


def application(environ, start_response):
    body = environ["wsgi.input"].read() if environ["REQUEST_METHOD"] == "POST" else b""  # <- reads
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok" if body is not None else b"no"]


make_server("127.0.0.1", int(os.environ["PORT"]), application).serve_forever()
