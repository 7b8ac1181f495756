# SPDX-License-Identifier: Apache-2.0
"""studio.py ADDRESS PORT: a library with any number of films of 400 KB; answers ranges."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FILM = bytes(400_000)


class Studio(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        first, last = 0, len(FILM) - 1
        wanted = self.headers.get("Range")
        if wanted:
            bounds = wanted.split("=")[1].split("-")
            first, last = int(bounds[0]), int(bounds[1] or last)
        self.send_response(206 if wanted else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last - first + 1))
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(FILM)}")
        self.end_headers()
        return FILM[first : last + 1]

    def do_GET(self):
        self.wfile.write(self.do_HEAD())


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Studio).serve_forever()
