# SPDX-License-Identifier: Apache-2.0
"""The lock daemon of a node: one request after the other."""

import socketserver
import time


class Request(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        name = self.rfile.readline()
        time.sleep(0.1)
        self.wfile.write(b"granted " + name)


class Locks(socketserver.UnixStreamServer):
    request_queue_size = 1


Locks("lockd.sock", Request).serve_forever()
