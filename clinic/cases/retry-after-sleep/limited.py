# SPDX-License-Identifier: Apache-2.0
"""limited.py ADDRESS PORT: a service that refuses all, for a while: 429, Retry-After."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(429)
        self.send_header("Retry-After", "4")
        self.send_header("Content-Length", "0")
        self.end_headers()


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
