"""Ways to hang, of hanging.py: whoever should serve is not there."""

import os
import socket
import threading
import time

from common import WRONG

JOB_S = 0.05


def unanswered_connect():
    """IO164: the listener there has a full accept queue, so that SYNs get no answer."""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(full.getsockname())
    if not WRONG:
        threading.Thread(target=close_all, args=(full,), daemon=True).start()
    while True:
        socket.create_connection(full.getsockname()).close()
        time.sleep(JOB_S)


def close_all(listener):
    while True:
        listener.accept()[0].close()


def serve_and_end(listener):
    """IO166: each worker ends after four connections; fixed: the next one serves at once."""
    if not os.fork():
        ask_again(listener.getsockname())
    workers = set()
    while True:
        if len(workers) == 2:
            workers.discard(os.wait()[0])
        if pid := os.fork():
            workers.add(pid)
        else:
            serve_a_few(listener)


def ask_again(address):
    while True:
        with socket.create_connection(address) as connection:
            connection.sendall(b"question")
            connection.recv(100)
        time.sleep(JOB_S / 2)


def serve_a_few(listener):
    if WRONG:
        time.sleep(0.5)  # as if it loaded something
    for _ in range(4 if WRONG else 40):
        connection, _ = listener.accept()
        with connection:
            connection.recv(100)
            connection.sendall(b"answer")
    os._exit(0)
