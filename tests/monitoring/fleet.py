"""A host full of small servers: fleet.py PROCESSES REQUESTS_PER_S SECONDS.

Each process has an event loop that answers and three threads that wait for work; one client asks
them in turn. Prints a line when all are there, and at the end how many answers came.
"""

from __future__ import annotations

import os
import queue
import selectors
import signal
import socket
import sys
import threading
import time

WORKERS = 3


def serve(connection: socket.socket) -> None:
    work: queue.Queue[bytes] = queue.Queue()
    for _ in range(WORKERS):
        threading.Thread(target=work.get, daemon=True).start()
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    while True:
        for _ in selector.select(5):
            try:
                asked = connection.recv(100)
                connection.sendall(asked)
            except ConnectionError:
                os._exit(0)
            if not asked:
                os._exit(0)


def main() -> None:
    processes, per_s, seconds = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    with socket.create_server(("127.0.0.1", 0), backlog=processes) as listener:
        clients = []
        for _ in range(processes):
            client = socket.create_connection(listener.getsockname()[:2])
            server, _ = listener.accept()
            if not os.fork():
                for other in (*clients, client, listener):
                    other.close()
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                serve(server)
            server.close()
            clients.append(client)
    print("ready", flush=True)
    begun = time.monotonic()
    answered, number = 0, 0
    while time.monotonic() < begun + seconds:
        client = clients[number % processes]
        client.sendall(b"x")
        answered += bool(client.recv(1))
        number += 1
        time.sleep(max(0.0, begun + number / per_s - time.monotonic()))
    print(answered, flush=True)


if __name__ == "__main__":
    main()
