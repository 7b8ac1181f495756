# SPDX-License-Identifier: Apache-2.0
"""What is said of a thread pool that is full, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from iotrace.verdict.client_waits import SLOW_CLIENTS, ClientWaits
from iotrace.verdict.number_formats import share
from iotrace.verdict.one_sided import mute_peers
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.purpose import Purpose
from iotrace.verdict.stuck import Stuck

ALWAYS_SHARE = 0.995
"""Of its time, busy: always."""


def who_text(name: str, count: int) -> str:
    """ "all 4 threads of ThreadPoolExecutor"."""
    if count == 1:
        return f"the only thread of {name}"
    return (
        f"all {count} of {name}" if name.endswith("threads") else f"all {count} threads of {name}"
    )


def title_of(who: str, verb: str, busy: float, at: str, clients: str, whom: str) -> str:
    """The finding's title, of its parts."""
    how = "always busy" if busy >= ALWAYS_SHARE else f"busy {share(busy, 1)} of the time"
    behind = "; other work queues behind" if whom else ", other work queues behind"
    return f"Thread pool full: {who} {verb} {how}{at}{clients}{whom}{behind}"


@dataclass(frozen=True, slots=True)
class Awaited:
    """The ``peer`` that all of a pool's threads wait for; ``mute``: it has never answered them.
    ``surely``: it is theirs by its address, and not by how many have asked it."""

    peer: str
    mute: bool
    surely: bool = True

    @property
    def text(self) -> str:
        """ ", waiting for 10.0.0.9:443, which does not answer"."""
        likely = "" if self.surely else "most likely "
        says = ", which does not answer" if self.mute else ""
        return f", {likely}waiting for {self.peer}{says}"


def awaited_by(
    example: Stuck, peers: Sequence[str], all_told: int, profile: ProcessProfile
) -> Awaited | None:
    """``peers``: of the threads at the example's line."""
    there = len(peers)
    if there < all_told or example.purpose is not Purpose.ANSWER:
        return None
    answered = {one.peer for one in profile.process.upstreams if one.theirs_ns}
    mute = {one.address: one for one in mute_peers(profile) if one.address not in answered}
    named = {peer for peer in peers if peer and not peer.startswith("socket:[")}
    if len(named) > 1:
        return None
    if named:
        (peer,) = named
        return Awaited(peer, peer in mute and mute[peer].connections >= there)
    asked = [one.address for one in mute.values() if one.connections == there]
    return Awaited(asked[0], mute=True, surely=False) if len(asked) == 1 else None


_STREAMS = (
    "Each thread serves one request that does not end (a stream, a subscription, a long poll), and "
    "that is as many as there are threads. Have more threads than such requests at once "
    "(grpc.server(ThreadPoolExecutor(max_workers=...)), --threads), end them after a while, limit "
    "how many there may be, or serve them in an event loop, where one that waits takes no thread "
    "(grpc.aio, ASGI, gevent)."
)


_RESTING_CLIENTS = (
    "The threads wait for the next request on connections that are kept (keep-alive): keep those "
    "out of the pool. Close idle connections sooner (a shorter keep-alive timeout), have a reverse "
    "proxy in front that keeps the clients' connections, or a server that waits for requests in an "
    "event loop (ASGI; gunicorn -k gthread, -k gevent). More threads only put it off."
)


def advice_of(count: int, clients: ClientWaits | None, *, kept: bool) -> str:
    """``clients``: what the threads wait for, where it is those; ``kept``: by streams."""
    if clients:
        return _RESTING_CLIENTS if clients.rest else SLOW_CLIENTS
    if kept:
        return _STREAMS
    if count == 1:
        return (
            "One thread does all of this work, one job after the other: have more threads "
            "(max_workers; asgiref: thread_sensitive=False), make each job shorter, or use the "
            "asynchronous form of the call."
        )
    return (
        "Give the calls that its threads wait in a timeout, and slow work an executor of its own, "
        "so that quick work does not queue behind it; raise the number of threads (max_workers, "
        "--threads; AnyIO: total_tokens; Twisted: reactor.suggestThreadPoolSize) if they only "
        "wait. Keep slow clients out of the pool: read their requests in a reverse proxy or an "
        "event loop."
    )
