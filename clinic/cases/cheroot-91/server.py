# SPDX-License-Identifier: Apache-2.0
import os

from cheroot.wsgi import Server


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "12")])
    return [b"Hello world!"]


Server(("127.0.0.1", int(os.environ["PORT"])), app).start()
