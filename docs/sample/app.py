"""What README.md's sample traces: an asyncio server with a mistake in it.

Every request awaits something for 10 ms, as it should. One in a thousand asks a slow neighbour
with urllib, which blocks: meanwhile the event loop serves nobody.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any

SLOW = os.environ["SLOW_NEIGHBOUR"]
_requests = itertools.count(1)


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """An ASGI application: "hello" to everybody."""
    if scope["type"] != "http":
        return
    await asyncio.sleep(0.010)
    if next(_requests) % 1000 == 0:
        with urllib.request.urlopen(SLOW) as answer:
            answer.read()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello\n"})
