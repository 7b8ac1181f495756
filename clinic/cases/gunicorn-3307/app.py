# SPDX-License-Identifier: Apache-2.0
import time


def load_models() -> str:
    time.sleep(1.5)  # <- loads
    return "ok"


ANSWER = load_models().encode()


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [ANSWER]
