# SPDX-License-Identifier: Apache-2.0
import os

from saq import Queue


async def greet(context, *, name: str) -> str:
    return f"hello {name}"


settings = {
    "queue": Queue.from_url(f"redis://127.0.48.1:{int(os.environ['PORT']) + 1}"),
    "functions": [greet],
    "concurrency": 1,
}
