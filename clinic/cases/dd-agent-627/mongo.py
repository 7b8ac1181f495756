# SPDX-License-Identifier: Apache-2.0
"""mongo.py ADDRESS PORT: a MongoDB that is in STARTUP2: it greets, and answers no command."""

import socketserver
import struct
import sys
import time

import bson

HELLO = {"isWritablePrimary": True, "maxWireVersion": 21, "minWireVersion": 0, "ok": 1.0}
HELLO |= {"maxBsonObjectSize": 2**24, "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 10**5}


class Mongo(socketserver.StreamRequestHandler):
    def handle(self):
        while head := self.rfile.read(16):
            size, request, _, _ = struct.unpack("<iiii", head)
            body = self.rfile.read(size - 16)
            asked = bson.decode(body[5 : 5 + struct.unpack_from("<i", body, 5)[0]])
            if "hello" not in asked and "ismaster" not in asked:
                time.sleep(600)
            data = struct.pack("<i", 0) + b"\0" + bson.encode(HELLO)
            self.wfile.write(struct.pack("<iiii", 16 + len(data), 1, request, 2013) + data)
            self.wfile.flush()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server((sys.argv[1], int(sys.argv[2])), Mongo).serve_forever()
