# SPDX-License-Identifier: Apache-2.0
"""``/proc/PID/net/tcp``, ``tcp6``, ``udp``, ``udp6`` and ``unix``: proc_pid_net(5)."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Container
from dataclasses import dataclass

from iotrace.procfs.endpoint import format_endpoint, format_peer, format_unix

# include/net/tcp_states.h; the kernel keeps the states of UDP and unix sockets in the same terms.
STATES = {
    1: "established",
    2: "syn_sent",
    3: "syn_recv",
    4: "fin_wait1",
    5: "fin_wait2",
    6: "time_wait",
    7: "close",
    8: "close_wait",
    9: "last_ack",
    10: "listen",
    11: "closing",
    12: "new_syn_recv",
    13: "bound_inactive",
}
_LISTEN = 10

_SO_ACCEPTCON = 0x10000  # include/linux/net.h
_SS_CONNECTED = 3  # enum socket_state, include/uapi/linux/net.h

_UNIX_ENTRY = re.compile(
    rb"^[0-9a-f]{8,16}: [0-9A-F]{8} [0-9A-F]{8} ([0-9A-F]{8}) [0-9A-F]{4} ([0-9A-F]{2}) +(\d{1,20})"
    rb"(?: ([^\n]*))?$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Socket:
    """One socket that is bound or connected.

    ``kind``: "tcp", "udp" or "unix"; ``family``: AF_INET, AF_INET6 or AF_UNIX. ``local`` and
    ``peer`` are addresses as in ``endpoint``, "" for none. ``state`` is one of ``STATES``.
    ``unread_bytes`` wait to be read and ``unsent_bytes`` to be sent or acknowledged; of UDP they
    count the kernel's own overhead in. ``pending``: connections that wait to be accepted.
    ``dropped``: datagrams that UDP had no room for, since the socket was made.
    None: doesn't apply, or the kernel doesn't tell. ``peer_inode``: the other unix socket.
    """

    inode: int
    kind: str
    family: int
    local: str
    peer: str
    state: str
    unread_bytes: int | None
    unsent_bytes: int | None
    pending: int | None = None
    peer_inode: int | None = None
    dropped: int | None = None


def parse_inet(
    data: bytes, kind: str, family: int, wanted: Container[int] | None = None
) -> dict[int, Socket]:
    """A table of TCP or UDP by inode; only the inodes of ``wanted``, if given.

    Lines that aren't entries are skipped, and so are sockets that no process holds any more
    (inode 0).
    """
    found = {}
    for line in data.split(b"\n"):
        fields = line.split(maxsplit=10)
        try:
            inode = int(fields[9])
            if inode and (wanted is None or inode in wanted):
                found[inode] = _inet_socket(inode, kind, family, fields)
        except (ValueError, IndexError):
            continue
    return found


def _inet_socket(inode: int, kind: str, family: int, fields: list[bytes]) -> Socket:
    state = int(fields[3], 16)
    unsent, unread = (int(queue, 16) for queue in fields[4].split(b":"))
    listens = state == _LISTEN
    return Socket(
        inode=inode,
        kind=kind,
        family=family,
        local=format_endpoint(family, *_parse_address(fields[1])),
        peer=format_peer(family, *_parse_address(fields[2])),
        state=STATES.get(state, "unknown"),
        unread_bytes=None if listens else unread,
        unsent_bytes=None if listens else unsent,
        pending=unread if listens else None,
        dropped=int(fields[10].split()[-1]) if kind == "udp" else None,
    )


def _parse_address(text: bytes) -> tuple[bytes, int]:
    # The address is printed as numbers of 32 bits in the byte order of the machine.
    address, port = text.split(b":")
    words = bytes.fromhex(address.decode("ascii"))
    if sys.byteorder == "little":
        words = b"".join([words[at : at + 4][::-1] for at in range(0, len(words), 4)])
    return words, int(port, 16)


def parse_unix(data: bytes, wanted: Container[int] | None = None) -> dict[int, Socket]:
    """The table of unix sockets by inode; only the inodes of ``wanted``, if given.

    It tells neither peers nor queues. Names are printed raw: one that holds a newline can make up
    an entry of its own, so nothing vital may hang on this table.
    """
    found = {}
    for flags, state, inode_text, name in _UNIX_ENTRY.findall(data):
        inode = int(inode_text)
        if inode and (wanted is None or inode in wanted):
            found[inode] = _unix_socket(inode, int(flags, 16), int(state, 16), name)
    return found


def _unix_socket(inode: int, flags: int, state: int, name: bytes) -> Socket:
    if flags & _SO_ACCEPTCON:
        state_name = "listen"
    else:
        state_name = "established" if state == _SS_CONNECTED else "close"
    return Socket(
        inode=inode,
        kind="unix",
        family=socket.AF_UNIX,
        local=format_unix(name),
        peer="",
        state=state_name,
        unread_bytes=None,
        unsent_bytes=None,
    )
