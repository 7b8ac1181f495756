# SPDX-License-Identifier: Apache-2.0
"""What the textbook says about each model, and whether a measured run agrees.

Stevens, UNIX Network Programming, vol. 1, ch. 6, taken at its word: the models as they are drawn
there, one client, nothing else to do. Where a figure follows from the model alone it is exact;
words stand for orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iotrace.demo.figures import Figures
from iotrace.vocabulary.calls import FAMILIES, READS, SIGNAL_WAITS, URING

MANY = 100
"""Calls a request from which on they are "many"."""
_SETUP_CALLS = 8
_AT_ONCE_NS = 1_000_000
_DEAR_NS = 600_000
"""CPU time a request that a process of its own exceeds, and nothing else does but polling."""
_SELECT, _POLL, _EPOLL = (
    frozenset(name for name, family in FAMILIES.items() if family == one)
    for one in ("select", "poll", "epoll")
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A run with one request every ``delay_ns`` on each connection."""

    figures: Figures
    delay_ns: int

    def a_request(self, total: int) -> float:
        """A sum's share of one request."""
        return total / max(self.figures.requests, 1)


@dataclass(frozen=True, slots=True)
class Claim:
    """What the textbook says of one figure, in a word, and the test of it."""

    text: str
    holds: Callable[[Measured], bool]


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims about one model; None: the textbook says nothing about it."""

    calls: Claim
    switches: Claim | None
    asleep: Claim
    wait: Claim | None
    pickup: Claim
    cpu: Claim
    synchronous: bool = True


def _calls(exactly: int) -> Claim:
    # The accept, what it takes to set the connection up, its end: not a request's calls.
    return Claim(
        str(exactly),
        lambda m: -0.5 < m.a_request(m.figures.calls) - exactly < 0.5 + m.a_request(_SETUP_CALLS),
    )


def _more_calls(than: int) -> Claim:
    return Claim(f">{than}", lambda m: m.a_request(m.figures.calls) > than + 0.5)


def _switches(exactly: int) -> Claim:
    return Claim(str(exactly), lambda m: abs(m.a_request(m.figures.voluntary) - exactly) < 0.5)


def _asleep(where: str, calls: frozenset[str]) -> Claim:
    return Claim(where, lambda m: m.figures.asleep_in[0] in calls and m.figures.asleep_in[1] > 0.9)


def _waits(m: Measured) -> bool:
    return m.a_request(m.figures.wait_ns) > 0.85 * m.delay_ns


def _waits_meanwhile(m: Measured) -> bool:
    """What serves the request is made while the client still waits before it sends."""
    return m.a_request(m.figures.wait_ns + m.figures.runq_ns) > 0.5 * m.delay_ns


def _never_waits(m: Measured) -> bool:
    return m.a_request(m.figures.wait_ns) < 0.05 * m.delay_ns


def _at_once(m: Measured) -> bool:
    """Late by the model's own doing: what it waited for a CPU is not counted against it."""
    pickup = m.figures.pickup
    return pickup is not None and pickup.p50 < _AT_ONCE_NS + m.a_request(m.figures.runq_ns)


_MANY_CALLS = Claim("many", lambda m: m.a_request(m.figures.calls) >= MANY)
_NEVER_ASLEEP = Claim("nowhere", _never_waits)
_THE_DELAY = Claim("delay", _waits)
_MOST_OF_IT = Claim("delay", _waits_meanwhile)
_NO_WAIT = Claim("0", _never_waits)
_SOON = Claim("at once", _at_once)
_LATE = Claim("late", lambda m: not _at_once(m))
_LITTLE = Claim("little", lambda m: m.a_request(m.figures.cpu_ns) < _DEAR_NS)
_DEAR = Claim("dear", lambda m: m.a_request(m.figures.cpu_ns) > _DEAR_NS)
_ALL = Claim(
    # On a busy machine it does not get the CPU all the time, but it wants it.
    "all",
    lambda m: m.a_request(m.figures.cpu_ns + m.figures.runq_ns) > 0.9 * m.delay_ns,
)
_MORE_SWITCHES = Claim(">1", lambda m: m.a_request(m.figures.voluntary) > 1.5)
_IN_READ = _asleep("recv", READS)


def _multiplexing(where: str, calls: frozenset[str], number: int = 3) -> Claims:
    """One call to wait, one to read, one to answer."""
    waiting = _asleep(where, calls)
    return Claims(_calls(number), _switches(1), waiting, _THE_DELAY, _SOON, _LITTLE)


CLAIMS: dict[str, Claims] = {
    "blocking": Claims(_calls(2), _switches(1), _IN_READ, _THE_DELAY, _SOON, _LITTLE),
    "nonblocking": Claims(_MANY_CALLS, _switches(0), _NEVER_ASLEEP, _NO_WAIT, _LATE, _ALL),
    "select": _multiplexing("select", _SELECT),
    "poll": _multiplexing("poll", _POLL),
    "epoll": _multiplexing("epoll", _EPOLL),
    # Read until there is no more: one read finds nothing.
    "epoll-et": _multiplexing("epoll", _EPOLL, number=4),
    "selectors": _multiplexing("epoll", _EPOLL),
    "signal": Claims(_calls(2), None, _asleep("no read", SIGNAL_WAITS), None, _SOON, _LITTLE),
    "async-io": Claims(
        _calls(2), None, _asleep("no read", URING), None, _SOON, _LITTLE, synchronous=False
    ),
    "asyncio": _multiplexing("epoll", _EPOLL),
    "fork": Claims(_more_calls(2), _MORE_SWITCHES, _IN_READ, _MOST_OF_IT, _SOON, _DEAR),
    "thread": Claims(_more_calls(2), _MORE_SWITCHES, _IN_READ, _MOST_OF_IT, _SOON, _LITTLE),
    "event-queue": _multiplexing("epoll", _EPOLL),
}
"""By the id of the model (servers.catalog)."""
