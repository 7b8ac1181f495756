"""Hand-made rows of requests and of calls upstream."""

from __future__ import annotations

from dataclasses import replace

from iotrace.report.requests import Requests, RequestTier, SlowRequest, Upstream
from iotrace.report.stacks import Frame, LongestWait
from iotrace.report.times import Durations

_US = 1_000
_MS = 1_000_000
_TIMES = Durations(1, _MS, _MS, _MS, _MS, _MS)


TIMES = Durations(3366, 237 * _US, 3 * _MS, 46 * _MS, 90 * _MS, 133 * _MS)
LISTENER = Requests(
    listener="127.0.0.1:8000",
    connections=16,
    exchanges=3366,
    unanswered=0,
    oldest_unanswered_ns=None,
    latency_ns=TIMES,
    queue_ns=Durations(16, 30 * _US, 40 * _US, 50 * _US, 50 * _US, 50 * _US),
    pickup_ns=replace(TIMES, p99=47 * _MS),
    service_ns=replace(TIMES, p99=41 * _MS),
    last_byte_ns=replace(TIMES, p99=51 * _MS),
    per_second=277.4,
    pending=2,
    max_pending=128,
    dropped=17,
    tiers=(
        RequestTier(0, 65536, 1000, 50 * _MS, 0, {"user": 20 * _MS}, {"user": 30 * _MS}),
        RequestTier(
            65536, 131072, 2328, 228144 * _US, 0,
            {"user": 46560 * _US, "runq": 30264 * _US, "poll": 13968 * _US, "kernel": 0},
            {"user": 132696 * _US, "kernel": 4656 * _US},
        ),
        RequestTier(
            40 * _MS, 56 * _MS, 38, 38 * 46 * _MS, 38 * 6 * _MS,
            {"sleep": 38 * 22 * _MS, "runq": 38 * 2 * _MS}, {"sleep": 38 * 16 * _MS},
        ),
    ),
    exemplars=(
        SlowRequest(
            7_890 * _MS, 133 * _MS, 0, {"runq": 92 * _MS}, {"sleep": 40 * _MS, "user": _MS},
            "127.0.0.1:54036", 7,
            LongestWait(
                "clock_nanosleep", "", 40 * _MS, 1,
                (Frame("sleep", "/usr/lib/python3.11/x.py", 3), Frame("get", "/srv/orders.py", 88)),
            ),
        ),
    ),
)  # fmt: skip
"""A server of which most requests are quick, and some are held up by others."""


def requests(listener: str, state: str, peer: str) -> Requests:
    """One exchange of a millisecond, all of it in one state of its pickup; one more is owed."""
    tier = RequestTier(0, 2 * _MS, 1, _MS, 0, {state: _MS}, {})
    slow = SlowRequest(0, _MS, 0, {state: _MS}, {state: 0}, peer, 7)
    times = (_TIMES, None, _TIMES, _TIMES, None)
    return Requests(listener, 1, 1, 1, _MS, *times, (tier,), exemplars=(slow,))


def upstream(peer: str, kind: str, state: str) -> Upstream:
    """One call of a millisecond."""
    return Upstream(peer, kind, 1, 1, 0, None, _TIMES, _TIMES, None, 0, {state: _MS})
