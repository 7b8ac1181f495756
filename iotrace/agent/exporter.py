# SPDX-License-Identifier: Apache-2.0
"""Answers Prometheus, in a process of its own that holds no probes and has no privileges.

Whoever can connect talks to this process alone. It is forked before there are probes, gives up what
it is allowed to, and gets new samples through a pipe; it makes a text of them when it is asked.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from iotrace.agent.channel import channel, frames, hand_on
from iotrace.agent.listen import Address
from iotrace.agent.unprivileged import be_nobody
from iotrace.metrics.prometheus import accepted, negotiated
from iotrace.metrics.wire import unpack

_MOST_CONNECTIONS = 8
_PATIENCE_S = 10.0
"""A client has so long for its request, however slowly it sends."""
_STACK_BYTES = 1 << 18
"""Two threads a connection."""

Render: TypeAlias = "Callable[[bytes, str], tuple[bytes, str]]"
"""From what was published and one of the formats of ``accepted`` to a text and its type."""


def _rendered(frame: bytes, accept: str) -> tuple[bytes, str]:
    return negotiated(unpack(frame), accept)


class Exporter:
    """Serves what was published last."""

    def __init__(
        self,
        listener: socket.socket,
        address: Address,
        hosts: Collection[str],
        render: Render = _rendered,
    ) -> None:
        """Fork. ``hosts``: names that clients may ask this host by, beside addresses."""
        self.address = address
        reading, self._writing = channel()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            made = _Made(listener, reading, frozenset(hosts), bool(address.path), render)
            _serve(made, parent)
        os.close(reading)
        listener.close()

    def publish(self, frame: bytes) -> None:
        """Samples, packed. Raises Unsupported where the process that serves does not take them."""
        hand_on(self._writing, frame, "Metrics are not served", f"answers at {self.address}")

    def close(self) -> None:
        """It ends when its pipe does."""
        os.close(self._writing)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class _Server(http.server.ThreadingHTTPServer):
    """So many connections at a time; those beyond are closed at once."""

    daemon_threads = True

    def __init__(self, made: _Made) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = made.listener
        self.hosts = made.hosts
        self.unix = made.unix
        self._render = made.render
        self._published: tuple[bytes, dict[str, tuple[bytes, str]]] | None = None
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)

    def take(self, frame: bytes) -> None:
        """What was published last."""
        self._published = frame, {}

    def text(self, accept: str) -> tuple[bytes, str] | None:
        """The text and its type, made once in each format; None: it is too soon."""
        if self._published is None:
            return None
        frame, texts = self._published
        wanted = accepted(accept)
        if wanted not in texts:
            texts[wanted] = self._render(frame, wanted)
        return texts[wanted]

    def get_request(self) -> tuple[Any, Any]:
        """Its peer has an address even if it is a unix socket."""
        connection, _ = self.socket.accept()
        return connection, ("client", 0)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self._places.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        deadline = threading.Timer(_PATIENCE_S, _cut, (request,))
        deadline.daemon = True
        deadline.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            deadline.cancel()
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """``GET /metrics``, and nothing else."""

    server: _Server
    server_version = "iotrace"
    sys_version = ""

    def do_GET(self) -> None:
        if not self.server.unix and not _may_ask(self.headers.get("Host", ""), self.server.hosts):
            # A page in a browser can make its own name lead here (DNS rebinding).
            self.send_error(403, "This host has no such name: iotrace agent --allow-host NAME")
        elif self.path.partition("?")[0] != "/metrics":
            self.send_error(404, "Metrics are at /metrics")
        else:
            self._answer()

    def _answer(self) -> None:
        found = self.server.text(self.headers.get("Accept", ""))
        if found is None:
            self.send_error(503, "The first interval is not over")
            return
        text, content_type = found
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests are not logged."""


def _may_ask(host: str, names: frozenset[str]) -> bool:
    """Addresses and names of this host; HTTP/1.0 may leave it out."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    name = name.removeprefix("[").removesuffix("]").lower()
    return not name or name in names or _is_address(name)


def _is_address(name: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, name)
            return True
    return False


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class _Made:
    """What the process that serves is made of."""

    listener: socket.socket
    reading: int
    hosts: frozenset[str]
    unix: bool
    render: Render


def _serve(made: _Made, parent: int) -> NoReturn:
    """In the child: until the pipe ends."""
    try:
        be_nobody([made.listener.fileno(), made.reading], "iotrace-metrics", parent)
        threading.stack_size(_STACK_BYTES)
        server = _Server(made)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for frame in frames(made.reading):
            server.take(frame)
    except BaseException:  # a forked child must not run its parent's code
        pass
    os._exit(0)
