"""Has three connections before it is traced: older_connections.py PORT.

Accepted on a listening socket that is closed by then, accepted on one that is not, and made to
PORT. Each byte that comes on the first two is asked of PORT, and the answer sent back.
"""

import json
import os
import select
import socket
import sys


def accept():
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"pid": os.getpid(), "port": listener.getsockname()[1]}), flush=True)
    return listener.accept()[0], listener


def main():
    orphan, listener = accept()
    listener.close()
    accepted, listener = accept()
    upstream = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    while True:
        for connection in select.select([orphan, accepted], [], [])[0]:
            question = connection.recv(1)
            if not question:
                return
            upstream.sendall(question)
            connection.sendall(upstream.recv(1))


main()
