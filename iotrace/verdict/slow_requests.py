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
from iotrace.verdict.slow_places import Wait, slow_place, tiers_of
from iotrace.verdict.time_places import Evidence, TakesLong, TimePlace
from iotrace.verdict.waiting_tasks import function_text, task_lines
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


def slow_requests(profile: ProcessProfile) -> list[TakesLong]:
    """Requests that take long, all or a few of them, and what most of that time is."""
    found = []
    where = _in_tasks(profile)
    for row in profile.process.requests:
        if row.latency_ns is None:
            continue
        noticed = _is_noticed(row)
        slow = noticed or row.latency_ns.p50 >= LATE_NS
        evidence: Evidence = {"listener": row.listener, "requests": row.latency_ns.count}
        evidence["p50_ns"] = row.latency_ns.p50
        if slow and (spent := _largest_part(row.tiers)):
            found.append(
                TakesLong(
                    f"half of the requests on {row.listener} take {duration(row.latency_ns.p50)} "
                    f"or longer: {spent}",
                    evidence,
                    where or (longest_in_locks(profile) if noticed else None),
                    sum(one.latency_ns for one in row.tiers),
                )
            )
        elif late := _late(row, row.latency_ns.p50):
            count = sum(one.count for one in late)
            took_ns = sum(one.latency_ns for one in late)
            spent = _largest_part(late)
            evidence |= {"late_requests": count, "late_mean_ns": took_ns // count}
            found.append(
                TakesLong(
                    f"{count:,} of {row.latency_ns.count:,} requests on {row.listener} took "
                    f"{duration(took_ns // count)} on average, half of all "
                    f"{duration(row.latency_ns.p50)} or less{f': {spent}' if spent else ''}",
                    evidence,
                    where,
                    took_ns,
                )
            )
    return found


def _in_tasks(profile: ProcessProfile) -> TimePlace | None:
    """Where asyncio tasks of slow requests wait; who waits for news may mean to."""
    found = slow_place(profile, LATE_NS)
    if found is None:
        return None
    place, of_them = found
    return TimePlace(
        f" For {share(of_them, 1)} of it asyncio tasks wait at {place.first.place}, in "
        f"{function_text(place.first.wait.stack)}.",
        profile,
        () if place.wait is Wait.NEWS else task_lines(place.tasks),
        cost_ns=int(of_them * sum(one.latency_ns for one in tiers_of(profile, LATE_NS)[0])),
    )


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
