"""Answers requests of one line: request_server.py HOW tcp|unix [PATH].

"loop": one event loop for all connections; "polls": one connection, read all the time whether there
is a request or not; "connections": one connection after the other, each until its end; "pool": the
same by two threads that take connections from a queue; "turns": two threads answer the requests of
a connection in turns; "handing": a loop reads all requests, and two threads answer them. A request
says what is to be done before the answer: "now", "sleep MS", "compute MS", "lock MS" (a wait for a
lock that another has), "two" (the answer is written in two parts, 20 ms apart), "never" (there is
no answer), "close" (the connection is closed in the place of an answer).
"""

import json
import os
import queue
import selectors
import signal
import socket
import sys
import threading
import time


def compute(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def answer(connection, line):
    what, _, ms = line.partition(b" ")
    if what == b"sleep":
        time.sleep(int(ms) / 1000)
    elif what == b"compute":
        compute(int(ms) / 1000)
    elif what == b"lock":
        held = threading.Lock()
        held.acquire()
        threading.Timer(int(ms) / 1000, held.release).start()
        held.acquire()
    elif what == b"never":
        return True
    elif what == b"close":
        return False
    elif what == b"two":
        connection.sendall(b"o")
        time.sleep(0.02)
        connection.sendall(b"k\n")
        return True
    connection.sendall(b"ok\n")
    return True


def read_request(connection):
    """The next one, with its end of line; b"": the connection has ended."""
    line = b""
    while not line.endswith(b"\n"):
        try:
            piece = connection.recv(4096)
        except ConnectionResetError:
            return b""
        if not piece:
            return b""
        line += piece
    return line


def serve(connection):
    """Answer the next request; whether the connection goes on."""
    line = read_request(connection)
    return bool(line) and answer(connection, line.strip())


def run_loop(listener, serve=serve):
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
            elif not serve(key.fileobj):
                selector.unregister(key.fileobj)
                key.fileobj.close()


def run_connections(listener):
    while True:
        connection, _ = listener.accept()
        while serve(connection):
            pass
        connection.close()


def run_polls(listener):
    connection, _ = listener.accept()
    connection.setblocking(False)
    while True:
        try:
            line = connection.recv(4096)
        except BlockingIOError:
            continue
        if not line or not answer(connection, line.strip()):
            return


def run_turns(listener):
    def work(mine, other):
        while True:
            connection = mine.get()
            if serve(connection):
                other.put(connection)

    queues = queue.SimpleQueue(), queue.SimpleQueue()
    for mine, other in (queues, queues[::-1]):
        threading.Thread(target=work, args=(mine, other), daemon=True).start()
    while True:
        queues[0].put(listener.accept()[0])


def run_pool(listener):
    connections = queue.SimpleQueue()

    def work():
        while True:
            connection = connections.get()
            while serve(connection):
                pass
            connection.close()

    for _ in range(2):
        threading.Thread(target=work, daemon=True).start()
    while True:
        connections.put(listener.accept()[0])


def run_handing(listener):
    requests = queue.SimpleQueue()

    def work():
        while True:
            answer(*requests.get())

    for _ in range(2):
        threading.Thread(target=work, daemon=True).start()

    def hand(connection):
        line = read_request(connection)
        if line:
            requests.put((connection, line.strip()))
        return bool(line)

    run_loop(listener, hand)


def main():
    how, family, *path = sys.argv[1:]
    if family == "unix":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path[0])
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    where = listener.getsockname()
    print(json.dumps({"pid": os.getpid(), "where": where}), flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGUSR2})
    WAYS[how](listener)


WAYS = {
    "loop": run_loop,
    "polls": run_polls,
    "connections": run_connections,
    "pool": run_pool,
    "turns": run_turns,
    "handing": run_handing,
}
main()
