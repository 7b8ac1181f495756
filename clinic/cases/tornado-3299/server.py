# SPDX-License-Identifier: Apache-2.0
import os
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.wsgi import WSGIContainer

app = Flask(__name__)


@app.route("/")
def index():
    time.sleep(1)  # <- sleeps
    return "OK"


server = HTTPServer(WSGIContainer(app, executor=ThreadPoolExecutor(8)))
server.listen(int(os.environ["PORT"]), "127.0.0.1")
IOLoop.current().start()
