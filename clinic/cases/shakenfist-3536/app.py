# SPDX-License-Identifier: Apache-2.0
import os
import socket

from flask import Flask

app = Flask(__name__)


def node_lock(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("lockd.sock")  # <- connects
        client.sendall(f"{name}\n".encode())
        client.recv(100)


@app.get("/instances")
def instances() -> str:
    node_lock("instances")
    return "none\n"


app.run("127.0.0.1", int(os.environ["PORT"]), threaded=True)
