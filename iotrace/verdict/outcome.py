# SPDX-License-Identifier: Apache-2.0
"""What can be said of processes in which no rule found anything grave.

"Nothing wrong was found" is an answer only where work was seen and got done: requests came in and
answers went out. Of anything else it is said what was seen, and how to see more. Where that names a
place at which somebody waits, it is a finding of low severity (IO225, rules/time_goes.py), for
whoever reads findings alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from iotrace.report.detail import Detail
from iotrace.report.model import Finding
from iotrace.verdict.asked_peers import asked_all_along
from iotrace.verdict.called_back import called_back
from iotrace.verdict.children_waits import children_place
from iotrace.verdict.classify.confidence import UNKNOWN
from iotrace.verdict.families import families
from iotrace.verdict.full_cpu import at_its_limit
from iotrace.verdict.greenlets import greenlets_text
from iotrace.verdict.kept_threads import kept_threads
from iotrace.verdict.number_formats import duration, plural
from iotrace.verdict.one_by_one import one_by_one
from iotrace.verdict.one_sided import unanswered_requests
from iotrace.verdict.outcome_texts import (
    BUSY_SHARE,
    LEAST_ANSWERS,
    LEFT_UNREAD_NS,
    WHERE_LINES,
    busiest_thread,
    lacking,
    next_step,
    waiting_clients,
)
from iotrace.verdict.own_waits import own_wait
from iotrace.verdict.own_work import costliest, jobs, own_work
from iotrace.verdict.process_profile import ProcessProfile
from iotrace.verdict.round_by_round import round_by_round
from iotrace.verdict.rules.rule import HIGH_SHARE, Hit
from iotrace.verdict.rules.time_goes import is_told, time_goes_hit
from iotrace.verdict.slow_requests import slow_requests
from iotrace.verdict.time_places import TakesLong, TimePlace
from iotrace.verdict.told_lines import MOST

ITS_OWN_SHARE = 0.9
"""Of the requests: those under way at the ends of the trace may be counted at one end only."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is said of a family. ``hit``: the place where the time of ``profile`` goes; then that is
    told as a finding, and ``text`` is ""."""

    text: str
    profile: ProcessProfile | None = None
    hit: Hit | None = None


def outcomes(profiles: Sequence[ProcessProfile], findings: Sequence[Finding]) -> dict[int, Outcome]:
    """By the place of the first process of each family; none where a grave finding is told, and no
    text where any is.

    A family is a process, its children, and theirs, as far as they were traced.
    """
    told = {}
    for family in families(profiles):
        pids = {profiles[place].process.pid for place in family}
        found = [
            one
            for one in findings
            if one.pid in pids or any(symptom.pid in pids for symptom in one.symptoms)
        ]
        if any(one.severity != "low" for one in found):
            continue
        one = _outcome([profiles[place] for place in family])
        if one.hit and is_told(one.hit, found):
            one = Outcome("")
        told[family[0]] = replace(one, text="") if one.hit or found else one
    return told


def _outcome(family: Sequence[ProcessProfile]) -> Outcome:
    left = [
        one.unread_ns
        for profile in family
        for one in profile.connections()
        if (one.unread_ns or 0) >= LEFT_UNREAD_NS
    ]
    if left:
        return Outcome(
            "No rule tells what is wrong, but data lies unread on "
            f"{plural(len(left), 'connection')}, on one of them for "
            f"{duration(max(filter(None, left)))}. {busiest_thread(family)}"
        )
    if place := at_its_limit(family):
        return _told("No rule found a fault, but", place)
    for late, least_cpu in ((kept_threads, BUSY_SHARE), (slow_requests, 0.0)):
        found = [(one, profile) for profile in family for one in late(profile)]
        if found:
            return _late(*found[0], family, least_cpu)
    if not _works(family):
        return _idle(family)
    if owed := [one for profile in family for one in unanswered_requests(profile)]:
        clients = plural(sum(one.connections for one in owed), "client")
        longest = duration(max(one.silent_ns for one in owed))
        return Outcome(
            f"No rule found a fault, but what {clients} sent before has had no answer, on one of "
            f"their connections for {longest} (unless none is due)."
        )
    if not any(map(_takes_requests, family)):
        said = "No rule found a fault. It serves nobody itself: whether its own work gets done is "
        makers = (one_by_one, round_by_round, asked_all_along)
        asked = next(filter(None, (maker(one) for maker in makers for one in family)), None)
        return _told(f"{said}not known.", asked or own_wait(family))
    if place := jobs(family):
        said = "No rule found a fault. How long its jobs take is not known."
        return _told(said, place, f"jobs {_does(place)} {place.name}" if place.name else "")
    if _answers_overlap(family):
        return Outcome(
            "No rule found a fault. How long its requests take is not known: several at once are "
            "on a connection."
        )
    detail = family[0].detail
    known = "" if detail is Detail.FULL else f" by what {detail.value} detail knows"
    return Outcome(f"Nothing wrong was found{known}.")


def _told(said: str, place: TimePlace | None, what: str = "") -> Outcome:
    """A text, and where the time goes. ``what``: what of it is said in a finding's title, where
    that is not the place."""
    text = f"{said} {place.text if place else ''}".rstrip()
    if place is None or not place.is_known:
        return Outcome(text)
    return Outcome(text, place.profile, time_goes_hit(what or place.text, place, {}))


def _does(place: TimePlace) -> str:
    return "compute mostly in" if place.is_computing else "wait mostly at"


def _late(
    found: TakesLong, profile: ProcessProfile, family: Sequence[ProcessProfile], least_cpu: float
) -> Outcome:
    """Requests that take long, or a thread that serves and sleeps where no work comes from."""
    rest = _where(profile, family, least_cpu)
    said = f"No rule tells what is wrong, but {found.text} {rest.text if rest else ''}".rstrip()
    least_ns = HIGH_SHARE * min(found.took_ns or profile.wall_ns, profile.wall_ns)
    asleep = least_cpu > 0  # what it computes itself takes none of that time
    known = [
        one
        for one in (found.place, rest)
        if one
        and one.is_known
        and not (one.is_computing and asleep and one.profile is profile)
        and not (one.is_computing and one.cost_ns < least_ns)
    ]
    if not known:
        return Outcome(said)
    first = known[0]
    lines = dict.fromkeys(line for one in known for line in one.lines if one.profile is profile)
    place = replace(first, lines=tuple(lines)[:MOST] or first.lines)
    return Outcome(said, first.profile, time_goes_hit(found.what, place, found.evidence))


def _idle(family: Sequence[ProcessProfile]) -> Outcome:
    """Nobody was seen to be served."""
    if waiting := waiting_clients(family):
        said = f"No rule tells what is wrong, but clients wait: {waiting}. {busiest_thread(family)}"
        place = next(filter(None, (_where(one, [one]) for one in family)), None)
        return _told(said, place, f"clients wait: {waiting}")
    if place := next(filter(None, map(called_back, family)), None):
        return _told(f"No answer yet: {lacking(family)}", place)
    if place := own_work(family):
        said = f"No rule found a fault. It accepts no connections. {busiest_thread(family)}"
        return _told(said, place, f"{place.profile.process.name} {place.share_text}")
    known = f"{lacking(family)} {busiest_thread(family)} {next_step(family)}"
    return Outcome(f"No answer yet: {known}")


def _where(
    profile: ProcessProfile, family: Sequence[ProcessProfile], least_cpu: float = 0.0
) -> TimePlace | None:
    """What to look at where its requests take long; None if nothing tells. ``family``: those that
    may do its work. ``least_cpu``: as for ``costliest``."""
    if greenlets := greenlets_text(profile):
        return TimePlace(greenlets, profile)
    if children := children_place(profile):
        return children
    asked = not least_cpu
    most = costliest([profile], least_cpu, asked=asked) or costliest(family, least_cpu, asked=asked)
    if profile.tasks is not None and profile.tasks.rows:
        tasks = "The asyncio tasks below say what they wait for."
        return replace(most, text=f"{tasks} {most.text}") if most else TimePlace(tasks, profile)
    if most is None and any(line.stack for line in profile.process.lines):
        return TimePlace(WHERE_LINES, profile)
    return most


def _takes_requests(profile: ProcessProfile) -> bool:
    """It listens or accepts; or is fed through pipes, or by io_uring; or nobody knows. Requests
    that all come from itself are of nobody."""
    sockets, seen = profile.process.sockets, profile.total
    served = sum(one.exchanges for one in profile.process.requests)
    asked = [one for one in profile.process.upstreams if profile.is_own(one.peer)]
    if 0 < ITS_OWN_SHARE * served <= sum(one.calls for one in asked):
        return False
    if sockets is None or not sockets.count or sockets.listening:
        return True
    return bool(seen.accepts.calls or seen.pipe_reads.ok or profile.process.operations)


def _answers_overlap(family: Sequence[ProcessProfile]) -> bool:
    """Whether of no request it is known how long it took, as they overlap on their connections."""
    rows = [one for profile in family for one in profile.process.requests if one.exchanges]
    return bool(rows) and all(one.several_at_once and one.latency_ns is None for one in rows)


def _works(family: Sequence[ProcessProfile]) -> bool:
    """It was seen to take requests and to answer."""
    if any(one.detail is not Detail.FULL for one in family):
        # Light detail sees no answers, sockets detail those of sockets alone; what could not be
        # looked for is said.
        models = (one.process.model for one in family)
        sleeps = sum(
            one.total.reads.calls + sum(loop.sleeps or 0 for loop in one.total.loops)
            for one in family
        )
        return sleeps >= LEAST_ANSWERS and any(one.id != UNKNOWN for one in models if one)
    reads = sum(one.total.reads.ok for one in family)
    writes = sum(one.total.writes.ok for one in family)
    rings = sum(operation.count for one in family for operation in one.process.operations)
    fed = sum(
        one.total.pipe_reads.ok
        for one in family
        if one.process.model and one.process.model.shape == "process pool"
    )
    return min(reads, writes) >= LEAST_ANSWERS or max(rings, fed) >= LEAST_ANSWERS
