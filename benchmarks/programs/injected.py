# SPDX-License-Identifier: Apache-2.0
"""Answers requests late, on purpose, and says when: injected.py connections|loop|threads FD.

A request is a line: "now", "sleep MS", "hold MS" (keeps the GIL), "lock MS", "compute MS",
"upstream PORT" or "big BYTES". The answer is a line of JSON with times of CLOCK_MONOTONIC.
"""

import ctypes
import functools
import json
import selectors
import socket
import sys
import threading
import time

keeps_gil = ctypes.PyDLL(None)
now = time.monotonic_ns
BUFFER_BYTES = 64 << 10


def sleep(ms):
    time.sleep(ms / 1000)
    return now()


def hold(ms):
    keeps_gil.usleep(ms * 1000)
    return now()


def lock(ms):
    lock, released = threading.Lock(), []
    lock.acquire()

    def release():
        released.append(now())
        lock.release()

    threading.Timer(ms / 1000, release).start()
    begin = now()
    lock.acquire()
    return begin, released[0]


def compute(ms):
    begin = time.thread_time_ns()
    while time.thread_time_ns() < begin + ms * 1_000_000:
        for _ in range(1000):
            pass
    return time.thread_time_ns() - begin


@functools.cache
def _upstream(port):
    return socket.create_connection(("127.0.0.1", port))


def upstream(port):
    connection = _upstream(port)
    connection.sendall(b"?")
    return connection.recv(1)


DELAYS = {one.__name__: one for one in (sleep, hold, lock, compute)}


def answer(connection, accepted_ns, line):
    what, _, number = line.decode().partition(" ")
    if what == "big":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        connection.sendall(bytes(int(number)))
        return
    if what == "upstream":
        upstream(int(number))
    told = DELAYS[what](int(number)) if what in DELAYS else None
    connection.sendall(json.dumps({"accepted": accepted_ns, "told": told}).encode() + b"\n")


def serve(connection, accepted_ns):
    line = connection.recv(4096)
    if line:
        answer(connection, accepted_ns, line.strip())
    return bool(line)


def until_its_end(connection, accepted_ns):
    with connection:
        while serve(connection, accepted_ns):
            pass


def accept(listener):
    connection = listener.accept()[0]
    accepted_ns = now()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection, accepted_ns


def run_connections(listener):
    while True:
        until_its_end(*accept(listener))


def run_threads(listener):
    while True:
        threading.Thread(target=until_its_end, args=accept(listener), daemon=True).start()


def run_loop(listener):
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, accepted_ns = accept(listener)
                selector.register(connection, selectors.EVENT_READ, accepted_ns)
            elif not serve(key.fileobj, key.data):
                selector.unregister(key.fileobj)
                key.fileobj.close()


if __name__ == "__main__":
    globals()[f"run_{sys.argv[1]}"](socket.socket(fileno=int(sys.argv[2])))
