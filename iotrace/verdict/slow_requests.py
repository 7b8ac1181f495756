# SPDX-License-Identifier: Apache-2.0
"""What is said of requests that take long, where no rule tells why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from iotrace.report.requests import Requests, RequestTier
from iotrace.verdict.number_formats import duration, share
from iotrace.verdict.own_waits import longest_in_locks
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.slow_limits import LATE_NS, NOTICED_NS
from iotrace.verdict.slow_places import slow_place
from iotrace.verdict.waiting_tasks import function_text
from iotrace.vocabulary.waits import SUMMARIES

OWN_LOCKS_SHARE = 0.9
"""Of such requests' time, in locks of the program itself: no peer and no computing takes it."""
TAIL_RATIO = 10
"""Times the median that they take on average."""
TAIL_SHARE = 0.01
LEAST_LATE = 2
"""Late requests that make a p99: one in a hundred, and not a single one."""
_PARTS = {
    "queue": "in the accept queue",
    "elsewhere": "in no thread's hands that is known (queued in the program)",
    "cpu": "on a CPU",
    "user": "computing",
    "kernel": "in the kernel",
    "copy": "copying data",
    "runq": "ready but without a CPU",
}


def slow_requests(profile: ProcessProfile) -> list[str]:
    """Requests that take long, all or a few of them, and what most of that time is."""
    texts = []
    found = slow_place(profile, LATE_NS)
    where = ""
    if found is not None:
        first = found[0].first
        where = (
            f" For {share(found[1], 1)} of it asyncio tasks wait at {first.place}, in "
            f"{function_text(first.wait.stack)}."
        )
    for row in profile.process.requests:
        if row.latency_ns is None:
            continue
        noticed = _is_noticed(row)
        slow = noticed or row.latency_ns.p50 >= LATE_NS
        if slow and (spent := _largest_part(row.tiers)):
            at = where or (longest_in_locks(profile) if noticed else "")
            texts.append(
                f"half of the requests on {row.listener} take {duration(row.latency_ns.p50)} or "
                f"longer: {spent}.{at}"
            )
        elif late := _late(row, row.latency_ns.p50):
            count = sum(one.count for one in late)
            mean = sum(one.latency_ns for one in late) // count
            spent = _largest_part(late)
            texts.append(
                f"{count:,} of {row.latency_ns.count:,} requests on {row.listener} took "
                f"{duration(mean)} on average, half of all {duration(row.latency_ns.p50)} or less"
                f"{f': {spent}' if spent else ''}.{where}"
            )
    return texts


def _is_noticed(row: Requests) -> bool:
    """Whether it takes half of them so long, and nearly all of that is in locks."""
    spent = sum(one.latency_ns for one in row.tiers)
    in_locks = sum(one.service_ns.get("lock", 0) for one in row.tiers)
    assert row.latency_ns is not None
    return row.latency_ns.p50 >= NOTICED_NS and in_locks >= OWN_LOCKS_SHARE * spent > 0


def _late(row: Requests, typical_ns: int) -> list[RequestTier]:
    """Those that are far from what is typical; [] if they are too few to say."""
    limit = max(LATE_NS, TAIL_RATIO * typical_ns)
    late = [one for one in row.tiers if one.count and one.latency_ns >= limit * one.count]
    count = sum(one.count for one in late)
    all_of_them = sum(one.count for one in row.tiers)
    return late if count >= max(LEAST_LATE, TAIL_SHARE * all_of_them) else []


def _largest_part(tiers: Sequence[RequestTier]) -> str:
    """ "83.3 % of it asleep in locks"; "" if nothing is known of it."""
    parts = Counter[str]()
    for tier in tiers:
        parts["queue"] += tier.queue_ns
        for states in (tier.pickup_ns, tier.service_ns):
            parts.update(states)
    if not parts.total():
        return ""
    name, spent = parts.most_common(1)[0]
    return f"{share(spent, sum(parts.values()))} of it {_part_text(name)}"


def _part_text(name: str) -> str:
    told = _PARTS.get(name) or SUMMARIES.get(name, name)
    return told.format(poll="a multiplexer")
