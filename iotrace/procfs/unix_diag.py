# SPDX-License-Identifier: Apache-2.0
"""Unix sockets and their peers, from the kernel's socket diagnostics: sock_diag(7).

Unlike ``/proc/net/unix`` it knows who is connected to whom and how much is unread, but it only
answers for the caller's own network namespace.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Container, Iterator
from dataclasses import dataclass

from iotrace.procfs.endpoint import format_unix
from iotrace.procfs.net_tables import STATES, Socket

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_NLM_F_REQUEST_DUMP = 0x301
# include/uapi/linux/unix_diag.h
_SHOW_NAME_PEER_QUEUES = 0x1 | 0x4 | 0x10
_ATTRIBUTE_NAME = 0
_ATTRIBUTE_PEER = 2
_ATTRIBUTE_QUEUES = 4

_MESSAGE_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBHIIIII")  # unix_diag_req
_ENTRY = struct.Struct("=BBBBIII")  # unix_diag_msg: family, type, state, pad, inode, cookie
_ATTRIBUTE_HEADER = struct.Struct("=HH")  # nlattr: length, type
_NUMBER = struct.Struct("=I")
_NUMBERS = struct.Struct("=II")

_ANSWER_BYTES = 1 << 17
_ANSWER_SECONDS = 2.0
_ENTRIES = 1 << 17


@dataclass(frozen=True, slots=True)
class UnixEntry:
    """One unix socket as the kernel reports it. ``peer`` is an inode, None without one.

    For a listening socket ``read_queue`` counts connections not yet accepted, else bytes.
    """

    inode: int
    state: int
    name: bytes
    peer: int | None
    read_queue: int | None
    write_queue: int | None


def parse_answer(datagram: bytes) -> tuple[list[UnixEntry], bool]:
    """The entries of one datagram, and whether it ends the answer.

    Raises ``ValueError`` for anything that isn't such a datagram, ``OSError`` with the kernel's
    error number if it holds one.
    """
    entries = []
    try:
        for kind, payload in _messages(datagram):
            if kind == _SOCK_DIAG_BY_FAMILY:
                entries.append(_parse_entry(payload))
            elif kind in (_NLMSG_ERROR, _NLMSG_DONE):
                (error,) = struct.unpack_from("=i", payload)
                if error:
                    raise OSError(-error, "the kernel's socket diagnostics failed")
                return entries, True
    except struct.error as error:
        raise ValueError("a truncated message of socket diagnostics") from error
    return entries, False


def _messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(datagram):
        length, kind, _flags, _sequence, _port = _MESSAGE_HEADER.unpack_from(datagram, at)
        if length < _MESSAGE_HEADER.size:
            raise ValueError("a message shorter than its header")
        yield kind, datagram[at + _MESSAGE_HEADER.size : at + length]
        at += _aligned(length)


def _parse_entry(payload: bytes) -> UnixEntry:
    _family, _type, state, _pad, inode, _cookie, _cookie_high = _ENTRY.unpack_from(payload)
    name, peer = b"", None
    queues: tuple[int | None, int | None] = (None, None)
    at = _ENTRY.size
    while at < len(payload):
        length, kind = _ATTRIBUTE_HEADER.unpack_from(payload, at)
        if length < _ATTRIBUTE_HEADER.size:
            raise ValueError("an attribute shorter than its header")
        value = payload[at + _ATTRIBUTE_HEADER.size : at + length]
        if kind == _ATTRIBUTE_NAME:
            name = value
        elif kind == _ATTRIBUTE_PEER:
            (peer,) = _NUMBER.unpack_from(value)
        elif kind == _ATTRIBUTE_QUEUES:
            queues = _NUMBERS.unpack_from(value)
        at += _aligned(length)
    return UnixEntry(inode, state, name, peer, *queues)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def request_entries(wanted: Container[int] | None = None) -> list[UnixEntry]:
    """The unix sockets of the caller's network namespace; of those that are not ``wanted``, only
    the ones that have a name: they may be the peers of others.

    Raises ``OSError`` where the kernel has no such diagnostics (CONFIG_UNIX_DIAG; as a module it
    is loaded by this request, as it is by ``ss -x``), ``ValueError`` for an answer in no form.
    """
    body = _REQUEST.pack(socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, _SHOW_NAME_PEER_QUEUES, 0, 0)
    header = _MESSAGE_HEADER.pack(
        _MESSAGE_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 0, 0
    )
    entries: list[UnixEntry] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(_ANSWER_SECONDS)
        kernel.sendto(header + body, (0, 0))
        done = False
        while not done:
            datagram, (sender, _groups) = kernel.recvfrom(_ANSWER_BYTES)
            if sender == 0:  # the kernel itself
                found, done = parse_answer(datagram)
                entries += [
                    entry
                    for entry in found
                    if wanted is None or entry.name or entry.inode in wanted
                ]
                if len(entries) > _ENTRIES:
                    raise ValueError("more unix sockets than are looked through")
    return entries


def sockets_of(entries: list[UnixEntry], wanted: Container[int] | None = None) -> dict[int, Socket]:
    """The entries by inode, each with its peer's name; only those in ``wanted``, if given."""
    names = {entry.inode: entry.name for entry in entries}
    return {
        entry.inode: _socket_of(entry, names)
        for entry in entries
        if wanted is None or entry.inode in wanted
    }


def _socket_of(entry: UnixEntry, names: dict[int, bytes]) -> Socket:
    state = STATES.get(entry.state, "unknown")
    listens = state == "listen"
    return Socket(
        inode=entry.inode,
        kind="unix",
        family=socket.AF_UNIX,
        local=format_unix(entry.name),
        peer=format_unix(names.get(entry.peer, b"")) if entry.peer else "",
        state=state,
        unread_bytes=None if listens else entry.read_queue,
        unsent_bytes=None if listens else entry.write_queue,
        pending=entry.read_queue if listens else None,
        peer_inode=entry.peer or None,
    )
