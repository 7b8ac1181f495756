# SPDX-License-Identifier: Apache-2.0
import http.server
import os

address = ("127.0.0.1", int(os.environ["PORT"]))
http.server.HTTPServer(address, http.server.SimpleHTTPRequestHandler).serve_forever()
