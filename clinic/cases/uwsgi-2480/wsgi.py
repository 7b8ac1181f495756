# SPDX-License-Identifier: Apache-2.0
import time


def application(environ, start_response):
    time.sleep(0.02)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
