"""A little HTTP load from threads of the test itself: a connection for each request."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

from tests.waiting import DEADLINE_S

_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def fetch(address: tuple[str, int]) -> bytes:
    """One request; the whole answer."""
    with socket.create_connection(address, DEADLINE_S) as peer:
        peer.sendall(_REQUEST)
        answer = b""
        while part := peer.recv(65536):
            answer += part
    return answer


class Load:
    """Clients that ask as fast as they are answered, inside the ``with``."""

    def __init__(self, address: tuple[str, int], clients: int) -> None:
        self._address = address
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]
        self._lock = threading.Lock()
        self.answers = 0
        self.failures: list[str] = []

    def _ask(self) -> None:
        while not self._stop.is_set():
            try:
                answer = fetch(self._address)
            except OSError as error:
                self.failures.append(repr(error))
                return
            if not answer.endswith(b"hello\n"):
                self.failures.append(repr(answer))
                return
            with self._lock:
                self.answers += 1

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
