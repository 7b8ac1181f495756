"""Listens on a port of 127.0.0.1, says which, and waits."""

import signal
import socket
import sys

with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    print(server.getsockname()[1], flush=True)
    signal.pause()
