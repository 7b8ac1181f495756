# SPDX-License-Identifier: Apache-2.0
import random

model = []
for _ in range(40):
    model.append(random.randbytes(8 << 20))


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
