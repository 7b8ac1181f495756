"""Threads that meet delays of TCP itself, and one that polls for a child. No arguments."""

import contextlib
import select
import socket
import subprocess
import sys
import threading
import time

from gate import finished, ready

ROUNDS, CLIENTS = 15, 5
KEPT = []


def pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    KEPT.extend((ours, theirs))
    return ours, theirs


def answer_in_two_pieces(connection):
    for _ in range(ROUNDS):
        connection.recv(100)
        connection.sendall(b"head")
        connection.sendall(b"body")


def ask(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(ROUNDS):
        connection.sendall(b"?")
        answer = b""
        while len(answer) < 8:
            answer += connection.recv(100)


def connect(address):
    KEPT.append(socket.create_connection(address))


def accept_late():
    """As many as come: the kernel may have dropped one whose client takes it for made."""
    time.sleep(0.3)
    while True:
        KEPT.append(full.accept()[0])


def send_to_deaf_peer(connection):
    connection.setblocking(False)
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            connection.send(b"x" * 65536)
        select.select([], [connection], [], 0.1)


def wait_for_child():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.6)"], timeout=9, check=True)


full = socket.create_server(("127.0.0.1", 0), backlog=1)
asking, answering = pair()
sending, deaf = pair()
ready(listener=full.getsockname()[1])
work = [
    threading.Thread(target=answer_in_two_pieces, args=(answering,)),
    threading.Thread(target=ask, args=(asking,)),
    threading.Thread(target=send_to_deaf_peer, args=(sending,)),
    threading.Thread(target=wait_for_child),
    *(threading.Thread(target=connect, args=(full.getsockname(),)) for _ in range(CLIENTS)),
]
threading.Thread(target=accept_late, daemon=True).start()
for one in work:
    one.start()
for one in work:
    one.join()
finished()
