"""The verdict on a report's processes: what each one is, where its time goes, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from iotrace.report.detail import Detail
from iotrace.report.model import Finding, Model, Process, Thread
from iotrace.snapshot.facts import ProcessFacts
from iotrace.verdict.classify.families import family_models
from iotrace.verdict.classify.process_shape import io_name
from iotrace.verdict.diagnose import diagnose, unchecked
from iotrace.verdict.summary import sentence, sentence_of_workers
from iotrace.verdict.view import ProcessView, view


@dataclass(frozen=True, slots=True)
class Verdict:
    """The processes with ``model`` and ``summary`` filled in; findings, the costliest first.

    ``unchecked``: ids of the rules that the detail of this trace knows too little for.
    """

    processes: tuple[Process, ...]
    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...] = ()


def judge(
    processes: tuple[Process, ...],
    facts: Mapping[int, ProcessFacts],
    duration_ns: int,
    detail: Detail = Detail.FULL,
) -> Verdict:
    """Name every thread and process by its behaviour, then look for what hurts it."""
    views = _with_children(
        [view(one, facts.get(one.pid), duration_ns, detail=detail) for one in processes]
    )
    models = family_models(views)
    judged = tuple(
        replace(
            one.process,
            model=models[place],
            threads=tuple(_thread(row, one) for row in one.process.threads),
            summary=_summary(one, models[place]),
        )
        for place, one in enumerate(views)
    )
    labelled = [replace(one, process=process) for one, process in zip(views, judged, strict=True)]
    return Verdict(judged, diagnose(_with_children(labelled)), unchecked(detail))


def _with_children(views: Sequence[ProcessView]) -> list[ProcessView]:
    children: dict[int, list[ProcessView]] = {}
    for one in views:
        if one.process.parent is not None:
            children.setdefault(one.process.parent, []).append(one)
    return [
        replace(one, children=tuple(children.get(one.process.pid, ()) if one.process.pid else ()))
        for one in views
    ]


def _thread(row: Thread, seen: ProcessView) -> Thread:
    style = seen.styles[row.tid]
    if not style.id:
        return row
    role = {"loop": "event loop", "acceptor": "acceptor", "poller": "polls"}.get(style.role, "")
    title = f"{io_name(style)}: {role}" if role else io_name(style)
    return replace(row, model=Model(style.id, title, style.confidence, style.evidence))


def _summary(seen: ProcessView, model: Model) -> str:
    workers = [one for one in seen.children if one.total.operations]
    if model.shape == "pre-forked workers" and workers:
        return sentence_of_workers(workers)
    return sentence(seen)
