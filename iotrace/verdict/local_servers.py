# SPDX-License-Identifier: Apache-2.0
"""Which of the traced processes a peer on this host is."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.verdict.process_profile import ProcessProfile, port_of

_LOOPBACK = ("127.", "[::1]:")
_ANY = ("0.0.0.0", "[::]")


class LocalServers:
    """Who listens where, of processes that were traced."""

    def __init__(self, profiles: Sequence[ProcessProfile]) -> None:
        self._by_port: dict[str, list[tuple[str, int]]] = {}
        for profile in profiles:
            sockets = profile.process.sockets
            for address in sockets.listening if sockets else ():
                port = port_of(address)
                server = address[: -len(port)], profile.process.pid
                self._by_port.setdefault(port, []).append(server)

    def pids(self, peer: str) -> list[int]:
        """Those that accept what is sent to a peer on this host: who listens at that very address,
        or at all; [] for others."""
        if not peer.startswith(_LOOPBACK):
            return []
        port = port_of(peer)
        host = peer[: -len(port)]
        return [pid for at, pid in self._by_port.get(port, ()) if at == host or at in _ANY]
