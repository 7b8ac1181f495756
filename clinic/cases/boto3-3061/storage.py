# SPDX-License-Identifier: Apache-2.0
"""storage.py ADDRESS PORT: takes what it is sent, as S3 does."""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self):
        while size := int(self.rfile.readline(), 16) if self.chunked() else 0:
            self.rfile.read(size + 2)
        if not self.chunked():
            self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(0.005)
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def chunked(self):
        return "chunked" in self.headers.get("Transfer-Encoding", "")


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
