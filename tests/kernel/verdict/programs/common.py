"""What the small servers share: an argument says whether to be wrong or fixed."""

from __future__ import annotations

import json
import socket
import sys

WRONG = sys.argv[1] == "wrong"
UPSTREAM = int(sys.argv[2]) if sys.argv[2:] and sys.argv[2].isdigit() else 0
MESSAGE_BYTES = 8


def listen(backlog: int = 1024) -> socket.socket:
    """A listener on any free port of this host."""
    return socket.create_server(("127.0.0.1", 0), backlog=backlog)


def ready(listener: socket.socket, **facts: int) -> None:
    """Say so, with what the test has to know."""
    port = listener.getsockname()[1]
    print(json.dumps({"port": port, **facts}), flush=True)


def burn(seconds: float) -> None:
    """Compute for so long, by the CPU's clock."""
    import time

    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass
