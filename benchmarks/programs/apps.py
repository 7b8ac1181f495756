# SPDX-License-Identifier: Apache-2.0
"""The smallest applications: ``wsgi`` for gunicorn, ``asgi`` for uvicorn.

They count their requests in the file that BENCHMARK_COUNTER names.
"""

import os

from counting import open_counter

BODY = b"hello\n"
HEADERS = (("Content-Type", "text/plain"), ("Content-Length", str(len(BODY))))

counter = open_counter(os.environ["BENCHMARK_COUNTER"])


def wsgi(environ, start_response):
    counter[0] += 1
    start_response("200 OK", list(HEADERS))
    return [BODY]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    counter[0] += 1
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
