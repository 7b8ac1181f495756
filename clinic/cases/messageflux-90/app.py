# SPDX-License-Identifier: Apache-2.0
import logging
import os
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from messageflux.iodevices.base import OutputDevice, OutputDeviceManager
from messageflux.logging.bulk_rotating_device_handler import BulkRotatingDeviceHandler

COLLECTOR = f"http://127.0.96.1:{int(os.environ['PORT']) + 1}/bulk"


class Collector(OutputDevice):
    def _send_message(self, message_bundle):
        request = urllib.request.Request(COLLECTOR, method="GET")
        with urllib.request.urlopen(request, timeout=10) as answer:  # <- sends
            answer.read()


class Collectors(OutputDeviceManager):
    def get_output_device(self, name):
        return Collector(self, name)


log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.addHandler(BulkRotatingDeviceHandler("live", Collectors(), "logs", max_records=60, max_time=30))


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        log.info("%s asks for %s", self.client_address[0], self.path)  # <- logs
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
