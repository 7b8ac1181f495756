# SPDX-License-Identifier: Apache-2.0
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

STOCK = f"https://localhost:{int(os.environ['PORT']) + 1}/stock"


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        requests.get(STOCK, timeout=5)  # <- gets
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
