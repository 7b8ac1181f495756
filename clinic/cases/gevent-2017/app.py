# SPDX-License-Identifier: Apache-2.0
import gevent.monkey

gevent.monkey.patch_all()

import multiprocessing  # noqa: E402
import os  # noqa: E402
import threading  # noqa: E402

from gevent.pywsgi import WSGIServer  # noqa: E402


class EventThread(threading.Thread):
    """Writes out what was collected whenever another process says so."""

    def __init__(self):
        super().__init__(daemon=True)
        self.event = multiprocessing.Event()

    def run(self):
        while self.event.wait():  # <- waits
            self.event.clear()


def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


server = WSGIServer(("127.0.0.1", int(os.environ["PORT"])), application, log=None)
server.start()
EventThread().start()
server.serve_forever()
