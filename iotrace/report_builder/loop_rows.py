# SPDX-License-Identifier: Apache-2.0
"""Loop rows: how a thread uses its multiplexer, and how long it is away from it."""

from __future__ import annotations

import select
from collections.abc import Iterable, Iterator
from itertools import islice

from iotrace.procfs.fdinfo import Watch
from iotrace.procfs.net_tables import Socket
from iotrace.report.model import Loop, Quantiles, Ready, ReadyWatch, StallCall, Stalls
from iotrace.report.stacks import StallCause
from iotrace.report_builder.stack_rows import IN_A_POLL
from iotrace.snapshot.facts import ProcessFacts
from iotrace.snapshot.histogram import percentile_ns, used
from iotrace.snapshot.totals import LoopTotals
from iotrace.vocabulary.waits import WAIT_REASONS

_MOST_READY = 8
"""Rows of descriptors that an epoll would report at once; more say nothing new."""
_PEER_HAS_CLOSED = frozenset(("close_wait", "last_ack", "closing"))


def loop_row(
    tid: int,
    multiplexer: str,
    totals: LoopTotals,
    facts: ProcessFacts | None,
    stall_call: str,
    stall_causes: tuple[StallCause, ...] = (),
) -> Loop:
    """One row. What an epoll watches, and how, is known while its process lives.

    ``stall_call``: name of the call that ``totals.stall_call_nr`` is.
    """
    watched: int | None = totals.watched or None
    trigger: str | None = "level"
    ready_watches: tuple[ReadyWatch, ...] = ()
    if multiplexer.startswith("epoll"):
        watched, trigger = _epoll(totals.epoll_fd, facts)
        ready_watches = _ready_watches(totals.epoll_fd, facts)
    busy = totals.busy
    return Loop(
        tid=tid,
        multiplexer=multiplexer,
        trigger=trigger,
        watched=watched,
        iterations=totals.iterations,
        empty=totals.empty,
        timeouts=totals.timeouts,
        ready=Ready(
            mean=totals.ready_sum / totals.iterations if totals.iterations else 0.0,
            max=totals.ready_max,
        ),
        busy_ns=Quantiles(
            p50=percentile_ns(busy, 0.5, totals.busy_max_ns),
            p99=percentile_ns(busy, 0.99, totals.busy_max_ns),
            max=totals.busy_max_ns,
            histogram=used(busy, totals.busy_max_ns),
        )
        if any(busy)
        else None,
        zero_timeout=totals.zero_timeout,
        unserved=totals.unserved,
        data_iterations=totals.data_iterations,
        eager_reads=totals.eager_reads,
        nfds_max=totals.nfds_max,
        sleeps=totals.sleeps or None,
        ready_watches=ready_watches,
        wait_ns=totals.wait_ns,
        busy_total_ns=max(0, totals.busy_sum_ns),
        # A poll of one descriptor is a timeout around a call: no loop that could be kept waiting.
        stalls=_stalls(totals, stall_call, stall_causes)
        # Less than none: one that had not ended before this interval has slept since.
        if totals.stalls > 0 and totals.nfds_max != 1
        else None,
    )


def _stalls(totals: LoopTotals, call: str, stall_causes: tuple[StallCause, ...]) -> Stalls:
    worst = None
    if totals.stall_call_ns:
        fd = None if totals.stall_call_fd < 0 else totals.stall_call_fd
        worst = StallCall(call, totals.stall_call_kind, fd, totals.stall_call_ns)
    waits = dict(zip(WAIT_REASONS, totals.stall_wait_ns, strict=True))
    # Sleeps of a multiplexer inside of an iteration are in that one's own row alone.
    known_ns = totals.stall_cpu_ns + totals.stall_runq_ns + sum(waits.values())
    waits["poll"] += max(0, totals.stall_ns - known_ns)
    causes = [one for one in stall_causes if one.cause != IN_A_POLL or _slept(one) <= waits["poll"]]
    return Stalls(
        count=totals.stalls,
        total_ns=totals.stall_ns,
        cpu_ns=totals.stall_cpu_ns,
        runq_ns=totals.stall_runq_ns,
        wait_ns=waits,
        worst=worst,
        causes=tuple(sorted(causes, key=lambda one: -one.total_ns)),
    )


def _slept(one: StallCause) -> int:
    """In polls of its own. The first stall after the probes of stacks were loaded late can have
    parts of another iteration: all polls together are shorter then than what it seems to lack."""
    return one.total_ns - one.cpu_ns - one.runq_ns - one.gil_ns - one.call_ns


def _epoll(fd: int, facts: ProcessFacts | None) -> tuple[int | None, str | None]:
    """(watched descriptors, trigger) of an epoll's interest list."""
    descriptor = facts.descriptors.get(fd) if facts else None
    if descriptor is None or descriptor.kind != "epoll":
        return None, None
    modes = {watch.edge_triggered for watch in descriptor.watches}
    trigger = {frozenset({True}): "edge", frozenset({False}): "level"}.get(frozenset(modes))
    return len(descriptor.watches), trigger or ("mixed" if modes else None)


def _ready_watches(epoll: int, facts: ProcessFacts | None) -> tuple[ReadyWatch, ...]:
    """The sockets of an epoll's interest list that were ready, by what /proc shows of them."""
    descriptor = facts.descriptors.get(epoll) if facts else None
    if facts is None or descriptor is None or facts.sockets is None:
        return ()
    return tuple(islice(_sockets_ready(descriptor.watches, facts), _MOST_READY))


def _sockets_ready(watches: Iterable[Watch], facts: ProcessFacts) -> Iterator[ReadyWatch]:
    for watch in watches:
        watched = facts.descriptors.get(watch.fd)
        if watched is None or watched.inode is None or watch.inode not in (None, watched.inode):
            continue
        socket = (facts.sockets or {}).get(watched.inode)
        event = _ready_event(watch, socket) if socket and not watch.edge_triggered else ""
        if socket and event:
            yield ReadyWatch(watch.fd, socket.kind, socket.peer, event)


def _ready_event(watch: Watch, socket: Socket) -> str:
    if watch.events & select.EPOLLIN:
        if socket.unread_bytes or socket.pending:
            return "EPOLLIN"
        if socket.kind == "tcp" and socket.state in _PEER_HAS_CLOSED:
            return "EPOLLRDHUP"
    if watch.events & select.EPOLLOUT and socket.peer and socket.unsent_bytes == 0:
        return "EPOLLOUT"
    return ""
