# SPDX-License-Identifier: Apache-2.0
"""What threads that wait for their clients wait for: the rest of a request, or the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.report.model import Thread

RESTING_SHARE = 0.5
"""Of the time that threads wait for clients, without a request in hand: no client sends one."""
SLOW_CLIENTS = (
    "They read from clients that send slowly, or not at all: keep those out of workers and pools. "
    "Have a reverse proxy in front that reads requests whole (nginx: proxy_request_buffering), or "
    "a server that reads in an event loop (ASGI; gunicorn -k gevent); close connections that take "
    "too long for their request (waitress: channel_timeout; gunicorn's threads have no "
    "such limit), and idle ones sooner (keep-alive). More threads only put it off."
)
"""What helps against such clients."""
_FOR_CLIENTS = ("recv", "poll")


@dataclass(frozen=True, slots=True)
class ClientWaits:
    """``between_ns``: of ``asleep_ns``, without a request in hand; None: nothing tells."""

    asleep_ns: int
    between_ns: int | None

    @property
    def rest(self) -> bool:
        """Most of it is between requests: connections that are kept and not used."""
        return self.between_ns is not None and self.between_ns >= RESTING_SHARE * self.asleep_ns

    def text(self, client: str) -> str:
        """What holds the threads, after a place: "with requests that...". ``client``: one."""
        if self.between_ns is None:
            return f"with clients that send slowly or not at all ({client})"
        if self.rest:
            return f"with kept connections on which clients send no request ({client})"
        return f"with requests that clients send slowly ({client})"


def client_waits(threads: Sequence[Thread]) -> ClientWaits:
    """Of threads that read from clients, all together."""
    asleep = sum(row.states_ns.wait.get(reason, 0) for row in threads for reason in _FOR_CLIENTS)
    if any(row.idle_ns is None for row in threads):
        return ClientWaits(asleep, None)
    between = sum((row.idle_ns or {}).get(reason, 0) for row in threads for reason in _FOR_CLIENTS)
    return ClientWaits(asleep, between)
