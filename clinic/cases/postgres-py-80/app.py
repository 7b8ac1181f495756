# SPDX-License-Identifier: Apache-2.0
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from postgres import Postgres

db = Postgres(f"postgres://postgres@127.0.0.1:{os.environ['DB']}/postgres", maxconn=20)


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        text = str(db.one("select 42 from pg_sleep(0.005)")).encode()  # <- asks
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Page).serve_forever()
