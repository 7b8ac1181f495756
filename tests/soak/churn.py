"""A program that never rests: connections, threads and processes come and go until it is told.

Ends at SIGTERM with status 23.
"""

import os
import signal
import socket
import sys
import threading

running = True
listener = socket.create_server(("127.0.0.1", 0), backlog=64)


def stop(number, frame):
    global running
    running = False


def ping():
    one, other = socket.socketpair()
    while running:
        for _ in range(500):
            one.send(b"seventeen bytes..")
            other.recv(64)


def serve():
    while running:
        connection = listener.accept()[0]
        with connection:
            connection.sendall(connection.recv(64))


def connect():
    while running:
        with socket.create_connection(listener.getsockname()) as peer:
            peer.sendall(b"hello")
            peer.recv(64)


def threads():
    while running:
        born = [threading.Thread(target=os.getppid) for _ in range(5)]
        for thread in born:
            thread.start()
        for thread in born:
            thread.join()


def main():
    signal.signal(signal.SIGTERM, stop)
    for work in (ping, serve, connect, threads):
        threading.Thread(target=work, daemon=True).start()
    print(os.getpid(), flush=True)
    while running:
        pid = os.fork()
        if not pid:
            os.getppid()
            os._exit(0)
        os.waitpid(pid, 0)
    sys.stdout.flush()
    os._exit(23)


main()
