# SPDX-License-Identifier: Apache-2.0
"""A service with large files."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5000000")
        self.end_headers()
        self.wfile.write(bytes(5_000_000))


ThreadingHTTPServer(("127.0.43.1", int(os.environ["PORT"]) + 1), Files).serve_forever()
