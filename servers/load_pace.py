# SPDX-License-Identifier: Apache-2.0
"""When requests are sent: after the answers (closed loop), or by the clock (open loop)."""

from __future__ import annotations

import math
import time
from collections import deque
from functools import partial

from iotrace.servers.load_loop import LoadLoop
from iotrace.servers.load_peer import Peer
from iotrace.servers.load_plan import LoadPlan


class ClosedLoop(LoadLoop):
    """Each connection sends again when it has its answer, ``delay_ns`` later."""

    def _share(self, number: int) -> float:
        plan = self._plan
        if plan.requests is not None:
            return (plan.requests + number) // plan.connections
        return 1 if plan.duration_ns is None else math.inf

    def _on_connected(self, peer: Peer, now_ns: int) -> None:
        self._schedule(peer, self._plan.pipeline, now_ns)

    def _on_answer(self, peer: Peer, now_ns: int) -> None:
        if not self._plan.reconnect:
            self._schedule(peer, 1, now_ns)
            return
        self._close(peer)
        if self._goes_on(peer, now_ns):
            self._reopen(peer)

    def _goes_on(self, peer: Peer, now_ns: int) -> bool:
        return peer.quota > 0 and now_ns + self._plan.delay_ns < self._end_ns

    def _schedule(self, peer: Peer, count: int, now_ns: int) -> None:
        if not self._goes_on(peer, now_ns):
            if not peer.in_flight and not peer.scheduled:
                self._close(peer)
            return
        if count > peer.quota:
            count = int(peer.quota)
        peer.quota -= count
        if self._plan.delay_ns:
            peer.scheduled += count
            due_ns = now_ns + self._plan.delay_ns
            self._at(due_ns, partial(self._send_scheduled, peer, count))
        else:
            self._send(peer, count, now_ns)

    def _send_scheduled(self, peer: Peer, count: int) -> None:
        if peer.is_open:  # the server may have hung up in the meantime
            peer.scheduled -= count
            self._send(peer, count, time.monotonic_ns())


class OpenLoop(LoadLoop):
    """Requests become due at a rate; the connections take them in turn.

    With ``reconnect`` a request may have to wait until a connection is free; its latency counts.
    """

    def __init__(self, plan: LoadPlan, rate: float) -> None:
        super().__init__(plan)
        self._rate = rate
        self._begun = False
        self._arrivals: float = plan.connections  # requests that are still to become due
        if plan.requests is not None or plan.duration_ns is not None:
            self._arrivals = math.inf if plan.requests is None else plan.requests
        self._due: deque[int] = deque()  # since when requests wait for a connection
        self._idle: deque[Peer] = deque()  # connections that take the next ones

    def run(self) -> None:
        try:
            super().run()
        finally:
            if self._due:
                self._errors["unanswered"] += len(self._due)

    def _share(self, number: int) -> float:
        return math.inf

    def _on_connected(self, peer: Peer, now_ns: int) -> None:
        self._idle.append(peer)
        if self._begun:
            self._take_due()
        else:
            self._begun = True
            self._arrive(now_ns)

    def _on_answer(self, peer: Peer, now_ns: int) -> None:
        if self._plan.reconnect:
            self._close(peer)
            if self._goes_on(peer, now_ns):
                self._reopen(peer)
        elif not self._goes_on(peer, now_ns) and not peer.in_flight:
            self._close(peer)

    def _goes_on(self, peer: Peer, now_ns: int) -> bool:
        return bool(self._arrivals or self._due)

    def _arrive(self, due_ns: int) -> None:
        """A request is due; the next one when the rate says so."""
        if due_ns >= self._end_ns:
            self._arrivals = 0
        if self._arrivals:
            self._arrivals -= 1
            self._due.append(due_ns)
            gap_s = self._random.expovariate(self._rate) if self._plan.poisson else 1 / self._rate
            next_ns = due_ns + round(gap_s * 1e9)
            self._at(next_ns, partial(self._arrive, next_ns))
        self._take_due()

    def _take_due(self) -> None:
        while self._due and self._idle:
            peer = self._idle.popleft()
            if peer.is_open:
                self._send(peer, 1, self._due.popleft())
                if not self._plan.reconnect:
                    self._idle.append(peer)
        if not self._arrivals and not self._due:
            for peer in self._idle:
                if peer.is_open and not peer.in_flight:
                    self._close(peer)
            self._idle.clear()
