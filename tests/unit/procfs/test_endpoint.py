"""Addresses as text."""

from __future__ import annotations

import socket

import pytest

from iotrace.procfs.endpoint import format_endpoint, format_peer, format_unix


@pytest.mark.parametrize(
    ("family", "address", "port", "text"),
    [
        (socket.AF_INET, bytes([127, 0, 0, 1]), 8000, "127.0.0.1:8000"),
        (socket.AF_INET, bytes(4), 53, "0.0.0.0:53"),
        (socket.AF_INET6, bytes(15) + b"\1", 8000, "[::1]:8000"),
        (socket.AF_INET6, bytes(16), 65535, "[::]:65535"),
        (socket.AF_INET6, b"\xfe\x80" + bytes(13) + b"\7", 7, "[fe80::7]:7"),
        (socket.AF_INET6, bytes(10) + b"\xff\xff\x0a\0\0\7", 80, "10.0.0.7:80"),
    ],
)
def test_an_endpoint(family: int, address: bytes, port: int, text: str) -> None:
    assert format_endpoint(family, address, port) == text
    assert format_peer(family, address, port) == text


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, b""),
        (socket.AF_INET, bytes(16)),
        (socket.AF_INET6, bytes(4)),
        (socket.AF_UNIX, bytes(4)),
    ],
)
def test_no_endpoint(family: int, address: bytes) -> None:
    with pytest.raises(ValueError, match=f"{len(address)} bytes are no address"):
        format_endpoint(family, address, 1)


def test_nobody_is_no_peer() -> None:
    assert format_peer(socket.AF_INET, bytes(4), 0) == ""
    assert format_peer(socket.AF_INET6, bytes(16), 0) == ""
    assert format_peer(socket.AF_INET, bytes(4), 7) == "0.0.0.0:7"


def test_unix_names() -> None:
    assert format_unix(b"") == ""
    assert format_unix(b"/run/x.sock\0") == "unix:/run/x.sock"
    assert format_unix(b"/run/\xff") == "unix:/run/\udcff"
    assert format_unix(b"\0bus\0x") == "unix:@bus@x"
