# SPDX-License-Identifier: Apache-2.0
"""Which connections a process has accepted: a wait for one of them is a wait for its client."""

from __future__ import annotations

from iotrace.report.model import Descriptor
from iotrace.verdict.process_profile import ProcessProfile, port_of
from iotrace.vocabulary.kinds import Kind


def is_accepted(row: Descriptor, profile: ProcessProfile) -> bool:
    """Whether it is one, of a listener that any traced process has open or had requests on."""
    sockets = profile.process.sockets
    listening = sockets.listening if sockets else ()
    asked = [one.listener for one in profile.process.requests]
    if row.kind == Kind.TCP.label:
        ports = profile.listening_ports() | profile.served_ports | set(map(port_of, asked))
        return bool(row.peer) and port_of(row.local) in ports
    return row.kind == Kind.UNIX.label and bool(row.local) and row.local in (*listening, *asked)


def waits_for_client(fd: int | None, profile: ProcessProfile) -> bool:
    """Whether this number is one: of a number that several had, not all need be alike."""
    rows = [one for one in profile.process.descriptors if one.fd == fd]
    return bool(rows) and all(one.opened == 1 and is_accepted(one, profile) for one in rows)
