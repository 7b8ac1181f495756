# SPDX-License-Identifier: Apache-2.0
import os
import random
import socketserver
import sys
import threading

import numpy
from flask import Flask

app = Flask(__name__)
vectors = numpy.memmap("vectors.f32", numpy.float32, "r").reshape(-1, 256)
port = int(sys.argv[1])


class Alive(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request[1].sendto(b"yes", self.client_address)


beats = socketserver.ThreadingUDPServer(("127.0.0.1", port), Alive)
threading.Thread(target=beats.serve_forever, daemon=True).start()


@app.get("/")
def index() -> str:
    row = random.randrange(len(vectors))
    return f"{os.getpid()} {vectors[row].sum()}\n"


app.run("127.0.0.1", port, threaded=True)
