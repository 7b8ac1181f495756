# SPDX-License-Identifier: Apache-2.0
import http.server
import multiprocessing
import os
import threading

import structlog

multiprocessing.set_start_method("fork")
log = structlog.PrintLogger()


def work() -> None:
    log.info("work")  # <- logs


def progress() -> None:
    while True:
        log.info("progress " + "." * 8_000)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        child = multiprocessing.Process(target=work)
        child.start()
        child.join()  # <- logs
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


threading.Thread(target=progress, daemon=True).start()
address = ("127.0.0.1", int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
