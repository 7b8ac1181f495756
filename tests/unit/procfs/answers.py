"""Messages of the kernel's socket diagnostics: netlink(7), include/uapi/linux/unix_diag.h."""

from __future__ import annotations

import struct


def _message(kind: int, payload: bytes) -> bytes:
    padding = bytes(-len(payload) % 4)
    return struct.pack("=IHHII", 16 + len(payload), kind, 2, 0, 0) + payload + padding


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def entry(
    inode: int,
    state: int,
    name: bytes = b"",
    peer: int | None = None,
    queues: tuple[int, int] | None = None,
) -> bytes:
    """One unix socket, with the attributes that are given."""
    text = struct.pack("=BBBBIII", 1, 1, state, 0, inode, 0, 0)
    if name:
        text += _attribute(0, name)
    if peer is not None:
        text += _attribute(2, struct.pack("=I", peer))
    if queues is not None:
        text += _attribute(4, struct.pack("=II", *queues))
    return text


def answer(*entries: bytes) -> bytes:
    """A datagram with these sockets."""
    return b"".join(_message(20, one) for one in entries)


def error_message(number: int) -> bytes:
    """The kernel's refusal."""
    return _message(2, struct.pack("=i", -number) + bytes(16))


DONE = _message(3, struct.pack("=i", 0))
