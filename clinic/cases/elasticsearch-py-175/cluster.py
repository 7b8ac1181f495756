# SPDX-License-Identifier: Apache-2.0
"""An Elasticsearch node, as far as clients ask here: the addresses that it publishes are those
inside of its own network."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HTTP = {"publish_address": "10.45.0.9:9200"}
NODES = {"a": {"name": "a", "roles": ["data", "ingest"], "version": "7.17.12", "http": HTTP}}


class Node(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        answer = json.dumps({"nodes": NODES, "version": {"number": "7.17.12"}}).encode()
        self.send_response(200)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"]) + 1), Node).serve_forever()
