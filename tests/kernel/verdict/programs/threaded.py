"""A threaded echo server with one defect: sys.argv[3]. Fixed: without it."""

import contextlib
import hashlib
import http.client
import os
import queue
import select
import socket
import subprocess
import sys
import threading
import time

from common import UPSTREAM, WRONG, burn, listen, ready

DEFECT = sys.argv[3]
SLEEP_S = 0.011
COMPUTE_S = 0.025 if WRONG else 0.0
waiting = queue.SimpleQueue()
never = socket.socketpair()
listener = listen()
cached = b"" if WRONG else b"known"


def serve(connection):
    upstream = socket.create_connection(("127.0.0.1", UPSTREAM)) if DEFECT == "upstream" else None
    with connection:
        while data := connection.recv(1 if DEFECT == "tiny" and WRONG else 65536):
            if DEFECT == "sleep" and WRONG:
                time.sleep(SLEEP_S)
            if DEFECT == "waits out" and WRONG:
                select.select(never, [], [], 0.2)
            if DEFECT == "computes" and WRONG:
                burn(0.15)
            if DEFECT == "dns" and not cached:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
                    query.connect((f"127.0.0.{UPSTREAM}", 53))
                    query.send(b"who")
                    query.recv(512)
            if upstream and not cached:
                upstream.sendall(b"question")
                upstream.recv(100)
            if DEFECT == "anew" and not cached:
                shake_hands()
            if DEFECT == "slow peer":
                data = b"x" * (32 << 20 if WRONG else 1000)
            if DEFECT == "pieces":
                send_pieces(connection)
                continue
            connection.sendall(data if DEFECT != "tiny" else b"")


def send_pieces(connection):
    """IO167: 4,000 bytes, ten at a time; fixed: at once."""
    size = 10 if WRONG else 4000
    for _ in range(4000 // size):
        connection.sendall(b"x" * size)


def shake_hands():
    """IO179: a proxy that takes its time to make a tunnel, for one request; fixed: kept."""
    connection = http.client.HTTPConnection("127.0.0.1", UPSTREAM)
    connection.set_tunnel("service.internal", 443)
    with contextlib.suppress(http.client.HTTPException):
        connection.connect()
    connection.close()


def compute(data):
    """Without the GIL, as long on any machine."""
    end = time.monotonic() + COMPUTE_S
    while time.monotonic() < end:
        hashlib.pbkdf2_hmac("sha256", data, b"salt", 2000)


def serve_one_by_one():
    """IO105: one thread computes for all connections."""
    while True:
        connection = waiting.get()
        with connection:
            data = connection.recv(65536)
            compute(data)
            connection.sendall(data)


def spin():
    while True:
        burn(1)


if DEFECT == "gil" and WRONG:
    threading.Thread(target=spin, daemon=True).start()
if DEFECT == "late":
    threading.Thread(target=serve_one_by_one, daemon=True).start()
if DEFECT == "starved":
    os.sched_setaffinity(0, {0})
    if WRONG:
        for _ in range(3):
            code = "while True: pass"
            subprocess.Popen([sys.executable, "-c", code], start_new_session=False)
ready(listener)
while True:
    connection, _ = listener.accept()
    if DEFECT == "late":
        waiting.put(connection)
        continue
    if DEFECT == "starved":
        while data := connection.recv(65536):
            burn(0.005)
            connection.sendall(data)
        continue
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
