"""Hand-made rows of requests and of calls upstream."""

from __future__ import annotations

from iotrace.report.requests import Durations, Requests, RequestTier, SlowRequest, Upstream

_MS = 1_000_000
_TIMES = Durations(1, _MS, _MS, _MS, _MS, _MS)


def requests(listener: str, state: str, peer: str) -> Requests:
    """One exchange of a millisecond, all of it in one state of its pickup; one more is owed."""
    tier = RequestTier(0, 2 * _MS, 1, _MS, 0, {state: _MS}, {})
    slow = SlowRequest(0, _MS, 0, {state: _MS}, {state: 0}, peer, 7)
    times = (_TIMES, None, _TIMES, _TIMES, None)
    return Requests(listener, 1, 1, 1, _MS, *times, (tier,), exemplars=(slow,))


def upstream(peer: str, kind: str, state: str) -> Upstream:
    """One call of a millisecond."""
    return Upstream(peer, kind, 1, 1, 0, None, _TIMES, _TIMES, None, 0, {state: _MS})
