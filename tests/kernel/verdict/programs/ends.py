"""Ways to hang, of hanging.py: programs that do not come to their end."""

import contextlib
import ctypes
import multiprocessing
import os
import platform
import signal
import socket
import socketserver
import threading
import time

from common import WRONG

EXIT = 60 if platform.machine() == "x86_64" else 93
"""The number of exit(2), which ends a thread."""


def endless_shutdown(listener):
    """IO193: a client has a connection and says nothing; fixed: the server goes on serving it."""
    listener.close()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(100)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    client = socket.create_connection(server.server_address)
    server.handle_request()
    if not WRONG:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        threading.Event().wait()
    server.server_close()
    client.close()


def told_in_vain(listener):
    """IO208: the handler of SIGTERM sets what nobody looks at; fixed: of a signal that asks for no
    end. It tells itself."""
    asked, told = threading.Event(), signal.SIGTERM if WRONG else signal.SIGUSR1
    signal.signal(told, lambda *_: asked.set())
    while True:
        os.kill(os.getpid(), told)
        threading.Event().wait(0.1)


def inherited_connection(listener):
    """IO206: a process is forked while a client is connected, whom the server then closes; fixed:
    before. The server goes on answering others."""

    def fork():
        fork = multiprocessing.get_context("fork")
        fork.Process(target=time.sleep, args=(600,), daemon=True).start()

    if not WRONG:
        fork()
    client = socket.create_connection(listener.getsockname())
    served = listener.accept()[0]
    if WRONG:
        fork()
    served.close()
    client.sendall(b"request")
    other = socket.create_connection(listener.getsockname())
    served = listener.accept()[0]
    while True:
        other.sendall(b"request")
        served.sendall(served.recv(100))
        other.recv(100)
        threading.Event().wait(0.1)


def shared_connection(listener):
    """IO204: two processes ask by way of the connection that their parent had made; fixed: each by
    its own."""

    def echo(connection):
        while data := connection.recv(100):
            connection.sendall(data)

    def serve():
        while True:
            threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()

    def ask(connection):
        mine = connection if WRONG else socket.create_connection(listener.getsockname())
        mine.settimeout(0.2)  # the other one may have read what was meant for this one
        while True:
            mine.sendall(b"request")
            with contextlib.suppress(TimeoutError):
                mine.recv(100)
            time.sleep(0.05)

    connection = socket.create_connection(listener.getsockname())
    for _ in range(2):
        fork = multiprocessing.get_context("fork")
        fork.Process(target=ask, args=(connection,), daemon=True).start()
    serve()


def main_thread_gone(listener):
    """IO211: a child's main thread ends alone, while another one waits for a lock for ever; fixed:
    it stays, and waits as well."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    lock = threading.Lock()
    lock.acquire()
    threading.Thread(target=lock.acquire, daemon=True).start()
    if WRONG:
        ctypes.CDLL(None).syscall(EXIT, 0)
    lock.acquire()


ENDS = (
    endless_shutdown, told_in_vain, inherited_connection, shared_connection, main_thread_gone,
)  # fmt: skip
