# SPDX-License-Identifier: Apache-2.0
"""The load's event loop: one thread, one epoll, all connections. *When* a request is sent is
said in ``load_pace``."""

from __future__ import annotations

import heapq
import itertools
import math
import random
import select
import socket
import time
from abc import ABC, abstractmethod
from array import array
from collections import Counter
from collections.abc import Callable
from typing import cast

from iotrace.servers.load_peer import Address, Peer, PeerError
from iotrace.servers.load_plan import LoadPlan, LoadResult, times
from iotrace.servers.protocol import encode

from iotrace.errors import IotraceError

VARIETIES = 7  # different frames are sent in turn: the answer to another request is noticed
KEPT_REFUSALS = 5


class LoadLoop(ABC):
    """Runs one plan, once. Raises IotraceError when the host has no address."""

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._random = random.Random(plan.seed)
        frames = [self._frame(number) for number in range(VARIETIES)]
        self._turn = itertools.cycle(frames)
        self._frame_bytes = len(frames[0])
        self._family, self._address = _resolve(plan)
        self._epoll = select.epoll()
        self._peers: dict[int, Peer] = {}
        self._connecting: dict[int, int] = {}  # descriptor: since when
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()  # timers of the same moment: first come, first served
        self._in_flight = 0
        self._latencies = array("q")
        self._connects = array("q")
        self._errors: Counter[str] = Counter()
        self._refusals: dict[str, None] = {}
        self._end_ns = math.inf
        self._start_ns = self._progress_ns = self._last_answer_ns = time.monotonic_ns()
        self._start_cpu_ns = time.thread_time_ns()

    def run(self) -> None:
        """Connect, send and check until every request is answered, lost or given up."""
        plan = self._plan
        self._start_ns = self._progress_ns = self._last_answer_ns = time.monotonic_ns()
        if plan.duration_ns is not None:
            self._end_ns = self._start_ns + plan.duration_ns
        try:
            for number in range(plan.connections):
                self._open(Peer(self._frame_bytes, self._share(number)))
            while self._peers and self._step():
                pass
        finally:
            for peer in list(self._peers.values()):
                self._close(peer)
            self._epoll.close()

    def result(self) -> LoadResult:
        """What was seen so far."""
        duration_ns = max(1, self._last_answer_ns - self._start_ns)
        requests = len(self._latencies)
        return LoadResult(
            connections=self._plan.connections,
            requests=requests,
            bytes=requests * self._frame_bytes,
            duration_ns=duration_ns,
            requests_per_second=requests * 1e9 / duration_ns,
            latency_ns=times(self._latencies),
            connect_ns=times(self._connects),
            cpu_ns=time.thread_time_ns() - self._start_cpu_ns,
            errors=dict(self._errors),
            refusals=tuple(self._refusals),
        )

    def _frame(self, number: int) -> bytes:
        payload = self._random.randbytes(self._plan.payload_bytes)
        return encode(payload, sequence=number, think_ns=self._plan.think_ns, work=self._plan.work)

    @abstractmethod
    def _share(self, number: int) -> float:
        """How many requests the connection of that number may send."""

    @abstractmethod
    def _on_connected(self, peer: Peer, now_ns: int) -> None:
        """The connection can be used."""

    @abstractmethod
    def _on_answer(self, peer: Peer, now_ns: int) -> None:
        """An answer has come, and it was right."""

    @abstractmethod
    def _goes_on(self, peer: Peer, now_ns: int) -> bool:
        """There is more to be sent on this connection, or on one in its place."""

    # Waiting

    def _step(self) -> bool:
        """Wait for the next thing to happen and see to it. False: there is nothing to wait for,
        or it did not come in time."""
        now_ns = time.monotonic_ns()
        while self._timers and self._timers[0][0] <= now_ns:
            heapq.heappop(self._timers)[2]()
        timer_ns = self._timers[0][0] - now_ns if self._timers else math.inf
        patience_ns = math.inf
        if self._connecting or self._in_flight:
            patience_ns = self._progress_ns + self._plan.timeout_ns + self._plan.think_ns - now_ns
        wait_ns = min(timer_ns, patience_ns)
        if wait_ns == math.inf or patience_ns <= 0:
            return False
        for fd, event in self._wait(wait_ns):
            peer = self._peers[fd]
            try:
                self._on_event(fd, peer, event)
            except PeerError as error:
                self._lose(peer, error)
        return True

    def _wait(self, wait_ns: float) -> list[tuple[int, int]]:
        # epoll_wait rounds up to milliseconds; select on the epoll descriptor itself does not.
        if self._timers and wait_ns > 0:
            select.select((self._epoll,), (), (), wait_ns / 1e9)
            wait_ns = 0
        return self._epoll.poll(max(wait_ns, 0) / 1e9)

    def _at(self, due_ns: int, call: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (due_ns, next(self._order), call))

    # Connections

    def _open(self, peer: Peer) -> None:
        since_ns = time.monotonic_ns()
        try:
            peer.connect(self._family, self._address)
        except PeerError as error:
            self._errors[error.kind] += 1
            peer.close()
            return
        peer.watched = select.EPOLLOUT
        self._epoll.register(peer, peer.watched)
        self._peers[peer.fileno()] = peer
        self._connecting[peer.fileno()] = since_ns

    def _on_event(self, fd: int, peer: Peer, event: int) -> None:
        if self._connecting and fd in self._connecting:
            since_ns = self._connecting.pop(fd)
            peer.connected()
            self._progress_ns = now_ns = time.monotonic_ns()
            self._connects.append(now_ns - since_ns)
            self._watch(peer)
            self._on_connected(peer, now_ns)
            return
        if event & select.EPOLLOUT:
            peer.flush()
            self._watch(peer)
        if event != select.EPOLLOUT:
            sent_ns = peer.receive()
            if sent_ns is not None:
                self._progress_ns = self._last_answer_ns = now_ns = time.monotonic_ns()
                self._latencies.append(now_ns - sent_ns)
                self._in_flight -= 1
                self._on_answer(peer, now_ns)

    def _watch(self, peer: Peer) -> None:
        wanted = select.EPOLLIN | select.EPOLLOUT if peer.unsent else select.EPOLLIN
        if wanted != peer.watched:
            peer.watched = wanted
            self._epoll.modify(peer, wanted)

    def _lose(self, peer: Peer, error: PeerError) -> None:
        self._errors[error.kind] += 1
        if error.kind == "refused" and len(self._refusals) < KEPT_REFUSALS:
            self._refusals[error.reason] = None
        if not peer.in_flight and not peer.scheduled:
            peer.quota -= 1  # it has not come to a request, but counts as a try
        self._close(peer)
        if (
            self._plan.reconnect
            and error.kind != "connect"
            and self._goes_on(peer, time.monotonic_ns())
        ):
            self._reopen(peer)

    def _reopen(self, peer: Peer) -> None:
        self._open(Peer(self._frame_bytes, peer.quota))

    def _send(self, peer: Peer, count: int, since_ns: int) -> None:
        """Send ``count`` requests in one piece; their latency counts from ``since_ns``."""
        if not self._in_flight:
            self._progress_ns = since_ns
        self._in_flight += count
        peer.send([next(self._turn) for _ in range(count)], since_ns)
        if peer.unsent:
            self._watch(peer)

    def _close(self, peer: Peer) -> None:
        if peer.in_flight:
            self._errors["unanswered"] += len(peer.in_flight)
            self._in_flight -= len(peer.in_flight)
        self._connecting.pop(peer.fileno(), None)
        del self._peers[peer.fileno()]
        peer.close()


def _resolve(plan: LoadPlan) -> tuple[int, Address]:
    try:
        family, _, _, _, address = socket.getaddrinfo(
            plan.host, plan.port, type=socket.SOCK_STREAM
        )[0]
    except OSError as error:
        raise IotraceError(
            f"no address for {plan.host} port {plan.port}", why=str(error)
        ) from error
    return family, cast(Address, address)  # the family is IPv4 or IPv6
