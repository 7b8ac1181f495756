# SPDX-License-Identifier: Apache-2.0
import os

import grpc
from flask import Flask

SERVICE = f"127.0.50.1:{int(os.environ['PORT']) + 1}"
app = Flask(__name__)


@app.get("/")
def update() -> bytes:
    with grpc.insecure_channel(SERVICE) as channel:  # <- opens
        grpc.channel_ready_future(channel).result(timeout=3)  # <- opens
        return channel.unary_unary("/Award/Update")(b"7", timeout=3)
