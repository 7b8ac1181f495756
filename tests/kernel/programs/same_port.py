"""Shares a port of 127.0.0.1 with others (SO_REUSEPORT), says which, and answers with its pid."""

import os
import socket
import sys

with socket.socket() as server:
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen()
    print(server.getsockname()[1], flush=True)
    answer = b"%7d" % os.getpid()
    while True:
        connection, _ = server.accept()
        while connection.recv(1):
            connection.sendall(answer)
