# SPDX-License-Identifier: Apache-2.0
"""Addresses of sockets as text: ``127.0.0.1:8000``, ``[::1]:8000``, ``unix:/run/x.sock``."""

from __future__ import annotations

import socket

from iotrace.procfs.files import text_of

_MAPPED_IPV4 = bytes(10) + b"\xff\xff"


def format_endpoint(family: int, address: bytes, port: int) -> str:
    """An IP address as the kernel holds it (network byte order) and a port in host order.

    ``family`` is AF_INET with 4 bytes or AF_INET6 with 16; an IPv4 address within IPv6
    (``::ffff:a.b.c.d``) is written as IPv4. Raises ``ValueError`` for anything else.
    """
    if family == socket.AF_INET6 and len(address) == 16:
        if not address.startswith(_MAPPED_IPV4):
            return f"[{socket.inet_ntop(socket.AF_INET6, address)}]:{port}"
        address = address[12:]
    elif family != socket.AF_INET or len(address) != 4:
        raise ValueError(f"{len(address)} bytes are no address of family {family}")
    return f"{socket.inet_ntop(socket.AF_INET, address)}:{port}"


def format_peer(family: int, address: bytes, port: int) -> str:
    """As ``format_endpoint``; "" for the all-zero address that stands for "nobody"."""
    return format_endpoint(family, address, port) if port or any(address) else ""


def format_unix(name: bytes) -> str:
    """``sun_path`` of unix(7), of its exact length; "" for an unnamed socket.

    An abstract name begins with a NUL. Each NUL of it is written as @, as ``/proc/net/unix`` does.
    """
    if not name:
        return ""
    if name.startswith(b"\0"):
        return "unix:" + text_of(name.replace(b"\0", b"@"))
    return "unix:" + text_of(name.partition(b"\0")[0])
