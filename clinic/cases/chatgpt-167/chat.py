# SPDX-License-Identifier: Apache-2.0
"""chat.py ADDRESS PORT DELAY: answers any POST after DELAY seconds."""

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Chat(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(float(sys.argv[3]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *said):
        pass


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Chat).serve_forever()
