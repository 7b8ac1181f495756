# SPDX-License-Identifier: Apache-2.0
"""An Elasticsearch node, as far as bulk requests go: each takes a second."""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Node(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(1)
        items = [{"index": {"status": 201}}] * (body.count(b"\n") // 2)
        answer = json.dumps({"took": 1000, "errors": False, "items": items}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


ThreadingHTTPServer(("127.0.88.2", int(os.environ["WEB"])), Node).serve_forever()
