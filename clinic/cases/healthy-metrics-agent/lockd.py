# SPDX-License-Identifier: Apache-2.0
import socketserver


class Request(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"granted " + self.rfile.readline())


socketserver.UnixStreamServer("lockd.sock", Request).serve_forever()
