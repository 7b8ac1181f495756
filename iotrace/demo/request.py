# SPDX-License-Identifier: Apache-2.0
"""Finds the requests in a timeline, and the typical one among them.

A request on a connection that lasts goes from one answer to the next: the wait for it is in.
The first one of a connection goes from the accept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from iotrace.demo.exchange import Exchange, exchange_of
from iotrace.demo.thread_timeline import Activity, SystemCall, ThreadTimeline, thread_timelines
from iotrace.snapshot.timeline import Event
from iotrace.vocabulary.calls import ACCEPTS, READS, URING, WRITES
from iotrace.vocabulary.events import EventKind
from iotrace.vocabulary.operations import OPCODE_ACCEPT, OPCODE_RECV, OPCODE_SEND


@dataclass(frozen=True, slots=True)
class Request:
    """One request, served by ``timeline`` on descriptor ``fd`` (-1: by io_uring).

    ``ready_ns``: when its first data had arrived, None: not seen. ``copied_ns``: when the copy of
    it to the server began. ``accepted_by``: the other thread that took the connection.
    ``marks``: signals and io_uring's events of this time. ``answered`` False: no request at all,
    but what the busiest thread did (see ``excerpt``). ``left_behind``: the read before this
    request's filled its buffer, so that what is read here may have come long before. ``exchange``:
    the same in the ledger of requests, None: it is not there.
    """

    timeline: ThreadTimeline
    fd: int
    from_ns: int
    to_ns: int
    ready_ns: int | None
    copied_ns: int
    accepted_by: int | None = None
    marks: tuple[Event, ...] = ()
    answered: bool = True
    left_behind: bool = False
    exchange: Exchange | None = None

    @property
    def latency_ns(self) -> int:
        """From the arrival of the data (or the start of its copy) to the end of the answer."""
        return self.to_ns - (self.copied_ns if self.ready_ns is None else self.ready_ns)


def typical(requests: Sequence[Request]) -> Request | None:
    """The one whose latency is nearest the median; None if there are none.

    One that a connection begins with is not like those that follow: it is chosen where there are
    no others.
    """
    following = [one for one in requests if not _begins(one)] or list(requests)
    ranked = sorted(following, key=lambda request: request.latency_ns)
    return ranked[(len(ranked) - 1) // 2] if ranked else None


def excerpt(events: Sequence[Event]) -> Request | None:
    """Where nothing is answered: what the thread that made the most calls did, all along."""
    timelines = [timeline for timeline in thread_timelines(events).values() if timeline.segments]
    if not timelines:
        return None
    timeline = max(timelines, key=lambda timeline: len(timeline.calls))
    from_ns, to_ns = timeline.segments[0].from_ns, timeline.segments[-1].to_ns
    return Request(timeline, -1, from_ns, to_ns, None, from_ns, answered=False)


def _begins(request: Request) -> bool:
    return any(call.exit_ns == request.from_ns for call in _of(request.timeline, ACCEPTS)) or any(
        mark.kind is EventKind.SUBMIT and mark.value == OPCODE_ACCEPT for mark in request.marks
    )


def _of(timeline: ThreadTimeline, names: Iterable[str]) -> list[SystemCall]:
    return [call for call in timeline.calls if call.syscall in names]


def requests(events: Sequence[Event], inodes: Mapping[int, int]) -> tuple[Request, ...]:
    """The complete requests in these events, in the order of their answers.

    ``inodes``: the socket behind each descriptor, where it is known: whose data has arrived.
    """
    timelines = thread_timelines(events)
    accepts = [
        (call, timeline.tid)
        for timeline in timelines.values()
        for call in _of(timeline, ACCEPTS)
        if call.result is not None and call.result >= 0
    ]
    found = [
        request
        for timeline in timelines.values()
        for request in (*_called(timeline, accepts), *_by_uring(timeline, events))
    ]
    complete = [_completed(request, events, inodes) for request in found]
    return tuple(sorted(complete, key=lambda request: request.to_ns))


def _called(
    timeline: ThreadTimeline, accepts: Sequence[tuple[SystemCall, int]]
) -> Iterable[Request]:
    """Requests that were read and answered by system calls."""
    by_fd: dict[int, list[SystemCall]] = defaultdict(list)
    for call in timeline.calls:
        by_fd[call.fd].append(call)
    copies_ns = {
        id(segment.call): segment.from_ns
        for segment in reversed(timeline.segments)
        if segment.activity is Activity.COPY
    }
    for fd in {call.fd for call in _of(timeline, WRITES)} - {-1}:
        answered_ns, accepted_by = _accepted(timeline, by_fd[fd], accepts)
        read: SystemCall | None = None
        wrote: SystemCall | None = None
        last: SystemCall | None = None
        left = False
        for call in by_fd[fd]:
            if not call.result or call.result < 0:
                continue
            if call.syscall in WRITES:
                wrote = call if read else wrote
            elif call.syscall in READS:
                if wrote is not None:
                    yield from _one(
                        timeline, answered_ns, read, wrote, copies_ns, accepted_by, left
                    )
                    answered_ns, read, wrote, accepted_by = wrote.exit_ns, None, None, None
                if read is None:
                    read, left = call, _filled(last)
                last = call
        yield from _one(timeline, answered_ns, read, wrote, copies_ns, accepted_by, left)


def _filled(read: SystemCall | None) -> bool:
    return read is not None and 0 < read.asked_bytes == read.result


def _accepted(
    timeline: ThreadTimeline, calls: Sequence[SystemCall], accepts: Sequence[tuple[SystemCall, int]]
) -> tuple[int | None, int | None]:
    """When the connection of these calls was accepted, and by which other thread."""
    fd, first_ns = calls[0].fd, calls[0].enter_ns
    before = [
        (call.exit_ns, tid)
        for call, tid in accepts
        if call.result == fd and call.exit_ns <= first_ns
    ]
    if not before:
        return None, None
    at_ns, tid = max(before)
    return at_ns, None if tid == timeline.tid else tid


def _one(
    timeline: ThreadTimeline,
    from_ns: int | None,
    read: SystemCall | None,
    wrote: SystemCall | None,
    copies_ns: Mapping[int, int],
    accepted_by: int | None,
    left_behind: bool,
) -> Iterable[Request]:
    if from_ns is None or read is None or wrote is None or read.enter_ns < from_ns:
        return
    copied_ns = copies_ns.get(id(read), read.exit_ns)
    yield Request(
        timeline,
        wrote.fd,
        from_ns,
        wrote.exit_ns,
        None,
        copied_ns,
        accepted_by,
        left_behind=left_behind,
    )


def _by_uring(timeline: ThreadTimeline, events: Sequence[Event]) -> Iterable[Request]:
    """Requests that io_uring received and answered: from one receive's submission to the next."""
    begun: Event | None = None
    received: Event | None = None
    answered = False
    for event in events:
        if event.kind is EventKind.COMPLETE and event.pid == timeline.pid and begun:
            received = received or (event if event.value > 0 else None)
        if event.kind is not EventKind.SUBMIT or event.tid != timeline.tid:
            continue
        if event.value == OPCODE_SEND and received is not None:
            answered = True
        if event.value == OPCODE_RECV:
            if begun and received and answered:
                from_ns, to_ns = _calls_around(timeline, begun.at_ns, event.at_ns)
                copied_ns = _copy_in(timeline, begun.at_ns, received.at_ns) or received.at_ns
                yield Request(timeline, -1, from_ns, to_ns, None, copied_ns)
            begun, received, answered = event, None, False


def _calls_around(timeline: ThreadTimeline, begun_ns: int, answered_ns: int) -> tuple[int, int]:
    """From the entry of the call that began it to the end of the one that answers, or its sleep."""
    from_ns, to_ns = begun_ns, answered_ns
    for segment in timeline.segments:
        call = segment.call
        if call is None or call.syscall not in URING:
            continue
        if call.enter_ns <= begun_ns < call.exit_ns:
            from_ns = call.enter_ns
        if segment.from_ns <= answered_ns < segment.to_ns:
            to_ns = segment.to_ns
    return from_ns, to_ns


def _copy_in(timeline: ThreadTimeline, from_ns: int, to_ns: int) -> int | None:
    copies = [s.from_ns for s in timeline.segments if s.activity is Activity.COPY]
    return next((at_ns for at_ns in copies if from_ns <= at_ns <= to_ns), None)


def _completed(request: Request, events: Sequence[Event], inodes: Mapping[int, int]) -> Request:
    """The same with its marks and the moment when its data had arrived."""
    begin = bisect_left(events, request.from_ns, key=_at)
    end = bisect_right(events, request.to_ns, key=_at)
    within = events[begin:end]
    marks = tuple(
        event
        for event in within
        if event.kind in (EventKind.SIGNAL, EventKind.SUBMIT, EventKind.COMPLETE)
        and event.tid in (0, request.timeline.tid)
    )
    exchange = exchange_of(request.timeline.pid, request.fd, within) if request.fd >= 0 else None
    if exchange and exchange.arrived_ns >= request.from_ns:
        ready_ns: int | None = exchange.arrived_ns
    else:
        ready_ns = _ready_ns(request, within, inodes)
    return replace(request, ready_ns=ready_ns, marks=marks, exchange=exchange)


def _at(event: Event) -> int:
    return event.at_ns


def _ready_ns(request: Request, within: Sequence[Event], inodes: Mapping[int, int]) -> int | None:
    arrivals = [
        event
        for event in within
        if event.kind is EventKind.READY and event.at_ns <= request.copied_ns
    ]
    if request.fd < 0:
        # No call names the socket: it is the one whose data ended the sleep, or none.
        asleep = [s for s in request.timeline.segments if s.activity is Activity.WAIT]
        arrivals = [e for e in arrivals if any(s.from_ns <= e.at_ns <= s.to_ns for s in asleep)]
    own = [event for event in arrivals if event.value == inodes.get(request.fd)]
    if own:
        return own[0].at_ns
    # Where the socket is not known, the last data to arrive before the copy is what is copied.
    return arrivals[-1].at_ns if arrivals else None
