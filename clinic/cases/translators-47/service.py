# SPDX-License-Identifier: Apache-2.0
"""service.py ADDRESS PORT: answers ten requests; of the eleventh answer only the first part."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

answered = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        global answered
        self.rfile.read(int(self.headers["Content-Length"]))
        answered += 1
        body = b'[{"translations": [{"text": "bonjour"}]}]'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answered > 10:
            self.wfile.write(body[:12])
            self.wfile.flush()
            print("stalled", flush=True)
            threading.Event().wait()
        self.wfile.write(body)


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
