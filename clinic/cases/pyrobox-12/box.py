# SPDX-License-Identifier: Apache-2.0
"""A model of the reported upload: lines of the body are read until its length is reached."""

import re
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Box(SimpleHTTPRequestHandler):
    def do_POST(self):
        boundary = self.headers["Content-Type"].split("=")[1].encode()
        remain = int(self.headers["Content-Length"])
        name = ""
        while not name:
            line = self.rfile.readline()
            remain -= len(line)
            found = re.search(rb'filename="(.*)"', line)
            name = found[1].decode() if found else ""
        for _ in range(2):
            remain -= len(self.rfile.readline())
        with open(name, "wb") as out:
            before = b""
            while remain > 0:
                line = self.rfile.readline()  # <- reads
                remain -= len(line)
                if boundary in line:
                    out.write(before[:-2])
                    break
                out.write(before)
                before = line
        self.send_response(200)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Box).serve_forever()
