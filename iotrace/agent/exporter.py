# SPDX-License-Identifier: Apache-2.0
"""Answers Prometheus, in a process of its own that holds no probes and has no privileges.

Whoever can connect talks to this process alone. It is forked before there are probes, gives up what
it is allowed to, and gets each new text through a pipe.
"""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import struct
import threading
from collections.abc import Collection
from typing import Any, NoReturn

from iotrace.agent.listen import Address
from iotrace.errors import Unsupported
from iotrace.privileges.privilege_drop import drop_all
from iotrace.target_reader.confinement import (
    drop_privileges,
    end_with_parent,
    leave_the_parent,
    limit_resources,
)

_LENGTH = struct.Struct("<Q")
_MOST_BYTES = 1 << 25
_MOST_CONNECTIONS = 8
_PATIENCE_S = 10.0
"""A client has so long for its request, however slowly it sends."""
_STACK_BYTES = 1 << 18
"""Two threads a connection."""
_NOBODY = 65534
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exporter:
    """Serves what was published last."""

    def __init__(self, listener: socket.socket, address: Address, hosts: Collection[str]) -> None:
        """Fork. ``hosts``: names that clients may ask this host by, beside addresses."""
        self.address = address
        reading, self._writing = os.pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _serve(listener, reading, parent, frozenset(hosts), unix=bool(address.path))
        os.close(reading)
        listener.close()

    def publish(self, text: bytes) -> None:
        """Raises Unsupported where the process that serves has ended."""
        data = _LENGTH.pack(len(text)) + text
        try:
            while data:
                data = data[os.write(self._writing, data) :]
        except OSError as error:
            raise Unsupported(
                "Metrics are not served any more.",
                why=f"The process that answers at {self.address} has ended ({error.strerror}).",
                paste="sudo systemctl restart iotrace-agent",
            ) from error

    def close(self) -> None:
        """It ends when its pipe does."""
        os.close(self._writing)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class _Server(http.server.ThreadingHTTPServer):
    """So many connections at a time; those beyond are closed at once."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, hosts: frozenset[str], *, unix: bool) -> None:
        super().__init__(("", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.hosts = hosts
        self.unix = unix
        self.text: bytes | None = None
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)

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
        elif self.server.text is None:
            self.send_error(503, "The first interval is not over")
        else:
            self.send_response(200)
            self.send_header("Content-Type", _TYPE)
            self.send_header("Content-Length", str(len(self.server.text)))
            self.end_headers()
            self.wfile.write(self.server.text)

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


def _serve(
    listener: socket.socket, reading: int, parent: int, hosts: frozenset[str], *, unix: bool
) -> NoReturn:
    """In the child: until the pipe ends."""
    try:
        leave_the_parent([listener.fileno(), reading], "iotrace-metrics")
        _be_nobody()
        end_with_parent(parent)
        limit_resources()
        threading.stack_size(_STACK_BYTES)
        server = _Server(listener, hosts, unix=unix)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with os.fdopen(reading, "rb") as pipe:
            while True:
                head = pipe.read(_LENGTH.size)
                if len(head) < _LENGTH.size:
                    break
                (length,) = _LENGTH.unpack(head)
                text = pipe.read(min(length, _MOST_BYTES))
                if len(text) < length:
                    break
                server.text = text
    except BaseException:  # a forked child must not run its parent's code
        pass
    os._exit(0)


def _be_nobody() -> None:
    """No user of this host, with no capabilities; where it is no root, what it is."""
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):  # a user namespace that maps nobody else
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    drop_privileges()
    drop_all()
