"""Clients of the small servers, and the slow services behind them."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

MESSAGE = b"12345678"


def echo(port: int, connections: int, seconds: float, gap_s: float = 0.02) -> int:
    """Messages one after the other on each connection, ``gap_s`` between; how many came back."""
    answers = [0] * connections
    until = time.monotonic() + seconds

    def client(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(10)
            while time.monotonic() < until:
                connection.sendall(MESSAGE)
                received = 0
                while received < len(MESSAGE):
                    part = connection.recv(65536)
                    if not part:
                        return
                    received += len(part)
                answers[place] += 1
                time.sleep(gap_s)

    _together(client, connections)
    return sum(answers)


def reconnect(port: int, connections: int, seconds: float, gap_s: float = 0.0) -> int:
    """As ``echo`` with a new connection for each message."""
    answers = [0] * connections
    until = time.monotonic() + seconds

    def client(place: int) -> None:
        while time.monotonic() < until:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.settimeout(10)
                connection.sendall(MESSAGE)
                answers[place] += bool(connection.recv(65536))
            time.sleep(gap_s)

    _together(client, connections)
    return sum(answers)


def send_only(port: int, connections: int, seconds: float, gap_s: float = 0.02) -> int:
    """Messages on the clock, whatever comes back."""
    until = time.monotonic() + seconds

    def client(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setblocking(False)
            while time.monotonic() < until:
                connection.sendall(MESSAGE)
                with contextlib.suppress(BlockingIOError):
                    connection.recv(65536)
                time.sleep(gap_s)

    _together(client, connections)
    return 1


def stream(port: int, connections: int, seconds: float, gap_s: float = 0.0) -> int:
    """As many bytes as the server takes."""
    until = time.monotonic() + seconds

    def client(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(0.2)
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError):
                    connection.send(b"x" * 20_000)

    _together(client, connections)
    return 1


def slow_reader(port: int, connections: int, seconds: float, gap_s: float = 0.02) -> int:
    """Ask, and take the answer slowly."""
    until = time.monotonic() + seconds

    def client(place: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.settimeout(0.2)
            while time.monotonic() < until:
                with contextlib.suppress(TimeoutError):
                    connection.sendall(b"?")
                    connection.recv(1 << 16)
                time.sleep(gap_s)

    _together(client, connections)
    return 1


def _together(client: object, count: int) -> None:
    assert callable(client)
    threads = [threading.Thread(target=client, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def slow_service(delay_s: float) -> Iterator[int]:
    """A TCP service that answers each question after ``delay_s``; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                while data := connection.recv(100):
                    time.sleep(delay_s)
                    connection.sendall(data)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def slow_resolver(delay_s: float, host: int) -> Iterator[int]:
    """A UDP service on port 53 of 127.0.0.``host`` that answers after ``delay_s``; ``host``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((f"127.0.0.{host}", 53))
        server.settimeout(0.1)
        over = threading.Event()

        def answer() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    data, peer = server.recvfrom(512)
                    time.sleep(delay_s)
                    server.sendto(data, peer)

        thread = threading.Thread(target=answer)
        thread.start()
        yield host
        over.set()
        thread.join()
