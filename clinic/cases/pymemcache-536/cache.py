# SPDX-License-Identifier: Apache-2.0
"""As much of a memcached as flush_all and add need."""

import os
from socketserver import StreamRequestHandler, ThreadingTCPServer


class Session(StreamRequestHandler):
    def handle(self) -> None:
        kept = {}
        while words := self.rfile.readline().split():
            answer = b"OK\r\n"
            if words[0] == b"add":
                value = self.rfile.readline()
                known = kept.setdefault(words[1], value) is not value
                answer = b"NOT_STORED\r\n" if known else b"STORED\r\n"
            self.wfile.write(answer)


ThreadingTCPServer.daemon_threads = True
ThreadingTCPServer(("127.0.112.1", int(os.environ["CACHE"])), Session).serve_forever()
