# SPDX-License-Identifier: Apache-2.0
import time


def stream():
    while True:
        yield b"data: tick\n\n"
        time.sleep(0.5)  # <- streams


def app(environ, start_response):
    if environ["PATH_INFO"] == "/events":
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return stream()
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
