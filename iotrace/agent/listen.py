# SPDX-License-Identifier: Apache-2.0
"""Where metrics are served: an address and port, or a unix socket."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from iotrace.errors import UsageError

DEFAULT = "127.0.0.1:9463"
_BACKLOG = 16


@dataclass(frozen=True, slots=True)
class Address:
    """``path`` of a unix socket, or ``host`` (a literal address) and ``port``."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/metrics"

    @property
    def is_loopback(self) -> bool:
        """Whether only this host can connect."""
        return bool(self.path) or ipaddress.ip_address(self.host).is_loopback


def parse_address(text: str) -> Address:
    """ "127.0.0.1:9463", ":9463" (loopback), "[::]:9463", "unix:/run/iotrace.sock".

    Raises ValueError.
    """
    if text.startswith("unix:/"):
        return Address(path=text.removeprefix("unix:"))
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not 0 <= int(port) < 1 << 16:
        raise ValueError("no port")
    host = host.removeprefix("[").removesuffix("]") or "127.0.0.1"
    return Address(str(ipaddress.ip_address(host)), int(port))


def open_listener(address: Address) -> socket.socket:
    """A listening socket. Raises UsageError where there can be none."""
    try:
        if address.path:
            return _open_unix(address.path)
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        raise UsageError(
            f"Metrics cannot be served at {address}.",
            why=f"{error.strerror}.",
            paste="ss -ltnp" if not address.path else f"ls -ld {Path(address.path).parent}",
        ) from error
    return listener


def _open_unix(path: str) -> socket.socket:
    """Mode 0660; what a former agent left there is replaced, anything else is not."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)  # noqa: PTH108
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        listener.bind(path)
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    return listener
