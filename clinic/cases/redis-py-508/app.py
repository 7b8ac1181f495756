# SPDX-License-Identifier: Apache-2.0
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import redis

store = redis.StrictRedis(host="127.0.0.1", port=int(os.environ["DB"]))


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        visits = str(store.incr("visits")).encode()  # <- asks
        self.send_response(200)
        self.send_header("Content-Length", str(len(visits)))
        self.end_headers()
        self.wfile.write(visits)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
