# SPDX-License-Identifier: Apache-2.0
"""A broker of tunnels over UDP: a socket for each client, on one epoll."""

import select
import socket
import sys
import time

KEEPALIVE_S = 0.5
port = int(sys.argv[1])
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
poller = select.epoll()
poller.register(listener, select.EPOLLIN)
tunnels = {}
open("listening", "w").close()


def hello():
    _, client = listener.recvfrom(2000)
    tunnel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tunnel.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tunnel.bind(("127.0.0.1", port))
    tunnel.connect(client)
    tunnel.setblocking(False)
    tunnel.send(b"welcome")
    tunnels[tunnel.fileno()] = tunnel
    poller.register(tunnel, select.EPOLLIN)


def keepalive():
    for tunnel in tunnels.values():
        try:
            tunnel.send(b"keepalive")
        except OSError:
            pass


last = time.monotonic()
while True:
    for fd, event in poller.poll(KEEPALIVE_S):  # <- waits
        if event & select.EPOLLIN:
            if fd == listener.fileno():
                hello()
            else:
                tunnels[fd].recv(2000)
    if time.monotonic() - last > KEEPALIVE_S:
        last = time.monotonic()
        keepalive()
