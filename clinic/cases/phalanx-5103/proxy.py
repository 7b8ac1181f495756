# SPDX-License-Identifier: Apache-2.0
"""A proxy: keeps its connections for a minute and uses each some five seconds after the last time.
It does not look whether the other side has closed one meanwhile."""

import os
import random
import socket
import threading
import time

UPSTREAM = ("127.0.0.1", int(os.environ["PORT"]))


def connection():
    return socket.create_connection(UPSTREAM, source_address=("127.0.48.1", 0))


def ask(sock):
    sock.sendall(
        b"GET / HTTP/1.1\r\nHost: wobbly\r\n"
        b"X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: https\r\n\r\n"
    )
    answer = sock.recv(65536)
    if not answer:
        raise ConnectionError("upstream prematurely closed connection")


def client(number):
    time.sleep(number / 4)
    sock = connection()
    while True:
        try:
            ask(sock)
            print("200", flush=True)
        except OSError as error:
            print("502", error, flush=True)
            sock.close()
            sock = connection()
            continue
        time.sleep(random.uniform(4.6, 5.4))


for number in range(20):
    threading.Thread(target=client, args=(number,)).start()
