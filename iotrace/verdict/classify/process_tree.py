# SPDX-License-Identifier: Apache-2.0
"""Processes that work together: a parent and what it has forked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iotrace.report.model import Model
from iotrace.verdict.classify.confidence import UNKNOWN, confidence
from iotrace.verdict.classify.process_shape import process_model
from iotrace.verdict.number_formats import duration, figure, plural
from iotrace.verdict.process_profile import ProcessProfile

FORKS_PER_CONNECTION = 0.5
"""As many children were forked per accepted connection, at least, where each has its own."""
FEWEST_FORKS = 3


def family_models(profiles: Sequence[ProcessProfile]) -> dict[int, Model]:
    """The label of each profile, by its place in ``profiles``, with what it is to its relatives."""
    alone = [process_model(profile) for profile in profiles]
    models = dict(enumerate(alone))
    parents = {
        profile.process.pid: place for place, profile in enumerate(profiles) if profile.process.pid
    }
    children: dict[int, list[int]] = {}
    for place, profile in enumerate(profiles):
        parent = parents.get(profile.process.parent or 0)
        if parent is not None and parent != place:
            children.setdefault(parent, []).append(place)
    for parent, places in children.items():
        models.update(_with_children(parent, places, profiles, alone))
    return models


def is_short_lived(profile: ProcessProfile) -> bool:
    """It began and ended within the trace, or is many such added up."""
    return not profile.process.pid or (
        profile.process.started_ns > 0 and profile.process.ended_ns is not None
    )


def forks(children: Sequence[ProcessProfile]) -> int:
    """Children that began while their parent was traced."""
    return sum(
        one.process.count for one in children if not one.process.pid or one.process.started_ns > 0
    )


def does_io(profile: ProcessProfile) -> bool:
    """It reads or accepts from sockets, or is fed through pipes."""
    seen = profile.total
    return bool(seen.reads.ok or seen.accepts.calls or seen.pipe_reads.ok)


def _with_children(
    parent: int, places: list[int], profiles: Sequence[ProcessProfile], alone: Sequence[Model]
) -> dict[int, Model]:
    top = profiles[parent]
    accepted = top.total.accepts.ok
    born = [
        place for place in places if forks([profiles[place]]) and profiles[place].total.reads.ok
    ]
    begun = forks([profiles[place] for place in born])
    if begun >= FEWEST_FORKS and begun >= FORKS_PER_CONNECTION * accepted and accepted:
        return _per_request(parent, born, begun, profiles)
    workers = [place for place in places if does_io(profiles[place])]
    known = [place for place in workers if alone[place].id != UNKNOWN]
    if not known or top.total.reads.ok > sum(profiles[place].total.reads.ok for place in workers):
        return _pool_of_processes(parent, known, profiles, alone)
    if all(
        not profiles[place].total.reads.ok and profiles[place].total.pipe_reads.ok
        for place in known
    ):
        return _pool_of_processes(parent, known, profiles, alone)
    return _preforked(parent, places, known, profiles, alone)


def _per_request(
    parent: int, born: list[int], begun: int, profiles: Sequence[ProcessProfile]
) -> dict[int, Model]:
    reads = sum(profiles[place].total.reads.ok for place in born)
    waited = sum(profiles[place].total.reads.wait_ns for place in born)
    lifetime = sum(profiles[place].total.lifetime_ns for place in born)
    accepted = profiles[parent].total.accepts.ok
    evidence = (
        f"{plural(begun, 'process')} forked for {plural(accepted, 'accepted connection')}",
        f"each lived {duration(lifetime / max(1, begun))} and made "
        f"{figure(reads / max(1, begun))} reads, {duration(waited)} asleep in all of them",
    )
    sure = confidence(1.0, begun)
    model = Model(
        "blocking", "process per request, blocking I/O", sure, evidence, "process per request"
    )
    child = replace(model, title="one request's process, blocking I/O", evidence=())
    return {parent: model, **dict.fromkeys(born, child)}


def _preforked(
    parent: int,
    places: list[int],
    known: list[int],
    profiles: Sequence[ProcessProfile],
    alone: Sequence[Model],
) -> dict[int, Model]:
    shape = "pre-forked workers"
    models = {
        place: replace(alone[place], title=f"pre-forked worker: {alone[place].title}", shape=shape)
        for place in known
    }
    idle = _idle_like(known, places, profiles, alone)
    titles = sorted({alone[place].title for place in known})
    busiest = max(known, key=lambda place: profiles[place].total.operations)
    which = "the one that did most of the I/O" if len(known) > 1 else "that one"
    each = titles[0] if len(titles) == 1 else "mixed: " + "; ".join(titles)
    models[parent] = Model(
        alone[busiest].id,
        f"pre-forked workers ({len(known) + idle}): {each}",
        min(alone[place].confidence for place in known),
        (
            "it reads nothing itself; "
            + (
                f"{len(known)} of its processes do"
                if len(known) > 1
                else "one of its processes does"
            )
            + (f", {idle} more had nothing to do" if idle else "")
            + (
                f"; {which}, process {profiles[busiest].process.pid}:"
                if alone[busiest].evidence
                else ""
            ),
            *alone[busiest].evidence,
        ),
        shape,
    )
    return models


def _idle_like(
    known: list[int], places: list[int], profiles: Sequence[ProcessProfile], alone: Sequence[Model]
) -> int:
    """Children that did nothing, and sleep for the same reason as those that did."""
    reasons = {_main_wait(profiles[place]) for place in known}
    return sum(
        1
        for place in set(places).difference(known)
        if alone[place].id == UNKNOWN
        and not is_short_lived(profiles[place])
        and _main_wait(profiles[place]) in reasons
    )


def _main_wait(profile: ProcessProfile) -> str:
    """What its first thread sleeps for most."""
    waits = (
        profile.threads[profile.process.pid].wait_ns
        if profile.process.pid in profile.threads
        else {}
    )
    return max(waits, key=lambda reason: waits[reason], default="")


def _stays_or_serves(child: ProcessProfile, parent: ProcessProfile) -> bool:
    """A pool's worker waits for the next piece of work, or its parent serves somebody. What comes
    and goes with a pipe may be any command: a shell starts such, too."""
    return not is_short_lived(child) or bool(parent.total.reads.ok)


def _pool_of_processes(
    parent: int, known: list[int], profiles: Sequence[ProcessProfile], alone: Sequence[Model]
) -> dict[int, Model]:
    """Workers that are given work through pipes: they have a label of their own, the parent too."""
    fed = [
        place
        for place in known
        if not profiles[place].total.reads.ok
        and _stays_or_serves(profiles[place], profiles[parent])
    ]
    models = {
        place: replace(
            alone[place],
            title="worker of a process pool, blocking I/O on pipes",
            shape="process pool",
        )
        for place in fed
    }
    if fed:
        own = alone[parent]
        if own.id == UNKNOWN or not profiles[parent].total.reads.ok:
            models[parent] = Model(
                "blocking",
                f"process pool ({len(fed)}) fed through pipes",
                min(alone[place].confidence for place in fed),
                (f"{plural(len(fed), 'process')} that it forked read from pipes only",),
                "process pool",
            )
        else:
            models[parent] = replace(own, title=f"{own.title} + process pool ({len(fed)})")
    return models
