"""A threaded echo server with one fault: sys.argv[3]. Mended: without it."""

import os
import socket
import subprocess
import sys
import threading
import time

from common import UPSTREAM, WRONG, burn, listen, ready

FAULT = sys.argv[3]
SLEEP_S = 0.01
listener = listen()
cached = b""


def serve(connection):
    global cached
    upstream = socket.create_connection(("127.0.0.1", UPSTREAM)) if FAULT == "upstream" else None
    with connection:
        while data := connection.recv(1 if FAULT == "tiny" and WRONG else 65536):
            if FAULT == "sleep" and WRONG:
                time.sleep(SLEEP_S)
            if (FAULT == "dns" and WRONG) or (FAULT == "dns" and not cached):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as query:
                    query.connect((f"127.0.0.{UPSTREAM}", 53))
                    query.send(b"who")
                    cached = query.recv(512)
            if upstream and (WRONG or not cached):
                upstream.sendall(b"question")
                cached = upstream.recv(100)
            if FAULT == "slow peer":
                data = b"x" * (32 << 20 if WRONG else 1000)
            connection.sendall(data if FAULT != "tiny" else b"")


def spin():
    while True:
        burn(1)


if FAULT == "gil" and WRONG:
    threading.Thread(target=spin, daemon=True).start()
if FAULT == "starved":
    os.sched_setaffinity(0, {0})
    if WRONG:
        for _ in range(3):
            code = "while True: pass"
            subprocess.Popen([sys.executable, "-c", code], start_new_session=False)
ready(listener)
while True:
    connection, _ = listener.accept()
    if FAULT == "starved":
        while data := connection.recv(65536):
            burn(0.005)
            connection.sendall(data)
        continue
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
