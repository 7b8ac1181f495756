# SPDX-License-Identifier: Apache-2.0
"""A service of one thread with a short accept queue, 50 ms for each request."""

import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(0.05)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


HTTPServer.request_queue_size = 1
server = HTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
open("listening", "w").close()
server.serve_forever()
