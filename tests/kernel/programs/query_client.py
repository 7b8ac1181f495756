"""Makes queries to servers: query_client.py PORT DEAD_PORT QUERIES.

Each query is answered before the next; before the answer is read the program sleeps for as many
milliseconds as it says. To DEAD_PORT nobody listens.
"""

import contextlib
import select
import socket
import sys
import time

from gate import finished, ready


def main():
    port, dead_port, queries = map(int, sys.argv[1:])
    ready()
    with contextlib.suppress(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", dead_port))
    server = socket.create_connection(("127.0.0.1", port))
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(queries):
        server.sendall(b"first half, ")
        server.sendall(b"second half\n")
        select.select([server], [], [])
        late_ms = int(server.recv(1, socket.MSG_PEEK))
        time.sleep(late_ms / 1000)
        server.recv(100)
    server.sendall(b"and one that nobody answers\n")
    finished()


main()
