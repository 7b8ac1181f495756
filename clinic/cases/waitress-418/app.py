# SPDX-License-Identifier: Apache-2.0
import os

from waitress import serve


def app(environ, start_response):
    body = b"x" * 20_000
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


serve(app, host="127.0.0.1", port=int(os.environ["PORT"]), threads=4)
