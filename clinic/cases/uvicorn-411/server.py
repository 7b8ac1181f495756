# SPDX-License-Identifier: Apache-2.0
import time


async def app(scope, receive, send):
    time.sleep(1)  # <- sleeps
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})
