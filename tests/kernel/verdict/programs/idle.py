"""Ways to hang, of hanging.py: the event loop has time, and clients wait all the same."""

import asyncio
import itertools
import os
import queue
import selectors
import signal
import socket
import socketserver
import sys
import threading
import time

from common import WRONG
from gone import JOB_S

LIMIT = 2
CLIENTS = 8


def sleeping_requests(listener):
    """IO185: what the requests wait for is a time to be over; fixed: for a short one."""
    sys.stdin.readline()  # traced by now: its requests are known from the first on
    if not os.fork():
        connect(listener, CLIENTS)

    connected = 0

    async def serve(reader, writer):
        nonlocal connected
        connected += 1
        if connected == CLIENTS:
            print(flush=True)
        while data := await reader.read(100):
            await asyncio.sleep(0.6 if WRONG else JOB_S)
            writer.write(data)

    async def main():
        async with await asyncio.start_server(serve, sock=listener) as server:
            await server.serve_forever()

    asyncio.run(main())


def full_server(listener):
    """IO186: it has as many connections as it may have; fixed: it may have more."""
    if not os.fork():
        connect(listener, LIMIT + 3, JOB_S)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    connected = 0
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
                connected += 1
                if WRONG and connected == LIMIT:
                    selector.unregister(listener)
            else:
                key.fileobj.sendall(key.fileobj.recv(100))


def connect(listener, clients, pause_s=0.0):
    """Clients that ask, and ask again."""

    def ask():
        connection = socket.create_connection(listener.getsockname())
        while True:
            connection.sendall(b"question")
            connection.recv(100)
            threading.Event().wait(pause_s)

    for _ in range(clients):
        threading.Thread(target=ask, daemon=True).start()
    threading.Event().wait()


def one_worker(listener):
    """IO187: one thread does the work of all requests, one after the other; fixed: quickly."""
    sys.stdin.readline()  # traced by now
    jobs = queue.Queue()
    connected = itertools.count(1)

    def work():
        while True:
            done = jobs.get()
            time.sleep(0.1 if WRONG else 0.001)
            done.set()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            if next(connected) == CLIENTS:
                print(flush=True)
            while self.request.recv(100):
                done = threading.Event()
                jobs.put(done)
                done.wait()
                self.request.sendall(b"answer")

    class Server(socketserver.ThreadingTCPServer):
        def __init__(self):
            super().__init__(("127.0.0.1", 0), Handler, bind_and_activate=False)
            self.socket.close()
            self.socket = listener
            self.server_address = listener.getsockname()

    if not os.fork():
        connect(listener, CLIENTS, JOB_S)
    threading.Thread(target=work, daemon=True).start()
    Server().serve_forever()


def busy_pipe():
    """IO201: more work for the one that is at a long job; fixed: for one that waits for it."""
    pipes = []
    for _ in range(3):
        reader, writer = os.pipe()
        pipes.append(writer)
        if not os.fork():
            while True:
                time.sleep(float(os.read(reader, 4)))
    for worker in (0, 0) if WRONG else (0,):
        os.write(pipes[worker], b"600.")
    signal.pause()


SHARED = """
class Connection:
    def __init__(self, socket, threading):
        self.socket, self.reading, self.news = socket, threading.Lock(), threading.Condition()

    def serve(self):
        if self.reading.acquire(blocking=False):
            try:
                self.socket.recv(100)
            finally:
                self.reading.release()
            with self.news:
                self.news.notify_all()
        else:
            with self.news:
                self.news.wait(600)

    def serve_all(self):
        while True:
            self.serve()

    def dispatch(self, function):
        while True:
            function(self)
"""


def read_by_another(listener):
    """IO202: one thread reads a connection for all, and nothing comes; fixed: something does."""
    client = socket.create_connection(listener.getsockname())
    library = {}
    exec(compile(SHARED, "/opt/site-packages/shared.py", "exec"), library)
    connection = library["Connection"](listener.accept()[0], threading)

    def ask(connection):
        connection.serve()

    threading.Thread(target=connection.serve_all, daemon=True).start()
    time.sleep(JOB_S)
    for _ in range(2):
        threading.Thread(target=connection.dispatch, args=(ask,), daemon=True).start()
    while True:
        time.sleep(JOB_S)
        if not WRONG:
            client.sendall(b"x")
