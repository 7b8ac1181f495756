# SPDX-License-Identifier: Apache-2.0
"""A service that is asked again and again, without a pause, and has hardly anything to say."""

from __future__ import annotations

from collections.abc import Iterator

from iotrace.report.requests import Upstream
from iotrace.verdict.cpu_samples import asking_share, busy_lines
from iotrace.verdict.histograms import total_ns
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.python_lines import waiting_lines
from iotrace.verdict.rules.rule import Hit, Rule, always, of_the_same_peer, wastes_its_cpu
from iotrace.verdict.thread_activity import Activity
from iotrace.verdict.upstreams import lines_on

LEAST_PER_SECOND = 500
"""Who looks for work now and then does so some times a second."""
TINY_BYTES = 16
"""Of an answer on average: "nothing", "no", "OK" and numbers, in the protocols of Redis and
memcached (a nil of Redis has 5 bytes). A job or a row has more."""
QUICK_NS = 2_000_000
"""Half of the answers come so soon: the service does not wait for what is asked for."""
LEAST_SHARE = 0.5
"""Of the asking thread's time, in waits for these answers, or on a CPU or in need of one to ask:
who sleeps in between does pause, and who computes does something else."""
CALLS_PER_REQUEST = 20
"""Of a process that serves: fewer may be asked for each request."""
ONE_THREAD_SHARE = 0.8
"""Of the reads from sockets of all threads, by the one that asks."""


def _asks_on(profile: ProcessProfile) -> Iterator[Hit]:
    asker = _asker(profile)
    if asker is None:
        return
    requests = sum(one.exchanges for one in profile.process.requests)
    for upstream in profile.process.upstreams:
        theirs = upstream.theirs_ns
        if theirs is None or theirs.p50 > QUICK_NS:
            continue
        rows = [one for one in profile.process.descriptors if one.peer == upstream.peer]
        received = sum(one.bytes_in or 0 for one in rows) / max(1, theirs.count)
        seen = profile.threads[asker]
        asking = total_ns(theirs) + _asking_cpu_ns(seen, asker, profile)
        if (
            profile.per_second(theirs.count) >= LEAST_PER_SECOND
            and theirs.count >= CALLS_PER_REQUEST * requests
            and received <= TINY_BYTES
            and asking >= LEAST_SHARE * seen.lifetime_ns > 0
        ):
            lines = busy_lines(profile.process, asker)
            slow = waiting_lines(lines_on(profile, rows), profile.process)
            cost = min(asking, seen.lifetime_ns)
            yield Hit(
                _evidence(upstream, theirs.count, received, cost, profile),
                cost,
                asker,
                rows[0].fd if len(rows) == 1 else None,
                lines=lines or slow,
                title=f"{upstream.peer} is asked {profile.per_second(theirs.count):,.0f} times a "
                f"second, without a pause, and its answers have {received:.1f} bytes on average: "
                "nothing has come, or no more than an OK",
            )


def _asker(profile: ProcessProfile) -> int | None:
    """The thread that makes nearly all reads of sockets."""
    most = max(profile.threads, key=lambda tid: profile.threads[tid].reads.ok, default=None)
    if most is None or not most:
        return None
    reads = sum(one.reads.ok for one in profile.threads.values())
    return most if profile.threads[most].reads.ok >= ONE_THREAD_SHARE * reads > 0 else None


def _asking_cpu_ns(seen: Activity, asker: int, profile: ProcessProfile) -> int:
    """On a CPU, or in need of one, to ask: an estimate by samples; without any what its calls on
    sockets take in the kernel, which is the least that it can be."""
    sampled = asking_share(profile.process, asker) * seen.wants_cpu_ns
    return round(sampled) or seen.reads.cpu_ns + seen.writes.cpu_ns


def _evidence(
    upstream: Upstream, asked: int, received: float, asking_ns: int, profile: ProcessProfile
) -> dict[str, float | int | str]:
    return {
        "peer": upstream.peer,
        "questions": asked,
        "questions_per_second": round(profile.per_second(asked)),
        "bytes_per_answer": round(received, 1),
        "asking_ns": asking_ns,
    }


ASKS_ON = Rule(
    "IO196",
    "A service is asked again and again, without a pause",
    "Where the program waits for something to come, let the service tell it: Redis: BLPOP, XREAD "
    "and XREADGROUP with BLOCK, get_message(timeout=1), PostgreSQL: LISTEN; a broker's consume in "
    "place of get; else sleep between two questions. Where each is a write of its own, send many "
    "at once (a pipeline, MSET, executemany).",
    _asks_on,
    explains={
        "IO162": of_the_same_peer, "IO119": of_the_same_peer, "IO101": always, "IO105": always,
        "IO112": wastes_its_cpu, "IO113": always, "IO133": always,
    },
)  # fmt: skip
