# SPDX-License-Identifier: Apache-2.0
import http.server
import os
import time


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(0.1)
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Service).serve_forever()
