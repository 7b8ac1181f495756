# SPDX-License-Identifier: Apache-2.0
import os

from flask import Flask
from werkzeug.serving import make_server

app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "ok"


tls = ("cert.pem", "key.pem")
server = make_server("127.0.0.1", int(os.environ["PORT"]), app, threaded=True, ssl_context=tls)
server.serve_forever()  # <- serves
