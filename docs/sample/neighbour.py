"""The slow neighbour of app.py: answers after 120 ms."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(0.120)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"late\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the sample shows one program's output."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    print(server.server_port, flush=True)
    server.serve_forever()
