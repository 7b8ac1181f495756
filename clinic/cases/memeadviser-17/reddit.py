# SPDX-License-Identifier: Apache-2.0
"""Grants tokens, and takes 0.6 s for each message."""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if "access_token" in self.path:
            answer = {"access_token": "t", "expires_in": 3600, "scope": "*", "token_type": "bearer"}
        else:
            time.sleep(0.6)
            answer = {"json": {"errors": []}}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("127.0.82.1", int(os.environ["PORT"]) + 1), Api).serve_forever()
