# SPDX-License-Identifier: Apache-2.0
"""The verdict on a report: what each process is, where its time goes, what is wrong.

A pure function of the report, so that a recording can be judged again by the rules of a later
version.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from iotrace import __version__
from iotrace.report.detail import Detail
from iotrace.report.model import Model, Report, Thread
from iotrace.verdict.classify.process_shape import io_name
from iotrace.verdict.classify.process_tree import family_models
from iotrace.verdict.findings import findings_of, findings_where_time_goes, unchecked
from iotrace.verdict.outcome import outcomes
from iotrace.verdict.process_profile import ProcessProfile, listening_ports, profile_of
from iotrace.verdict.summary import sentence, sentence_of_workers


def judge(report: Report) -> Report:
    """The report with a verdict, which replaces any that it has.

    Filled in: ``model``, ``summary`` and ``outcome`` of its processes, ``model`` of their threads,
    ``findings`` (hangs and the costliest first) and ``unchecked``.
    """
    detail = Detail(report.detail)
    served = frozenset[str]().union(*map(listening_ports, report.processes))
    profiles = _on_cpus(
        [
            profile_of(one, report.duration_ns, detail=detail, served_ports=served)
            for one in report.processes
        ],
        report.host.cpus,
    )
    models = family_models(profiles)
    processes = tuple(
        replace(
            one.process,
            model=models[place],
            threads=tuple(_thread(row, one) for row in one.process.threads),
            summary=_summary(one, models[place]),
        )
        for place, one in enumerate(profiles)
    )
    labelled = [
        replace(one, process=process) for one, process in zip(profiles, processes, strict=True)
    ]
    findings = findings_of(_with_relatives(labelled))
    told = outcomes(labelled, findings)
    return replace(
        report,
        processes=tuple(
            # As measured: a profile may hold what is only likely, such as whose number it was.
            replace(
                process,
                outcome=told[place].text if place in told else "",
                descriptors=measured.descriptors,
            )
            for place, (process, measured) in enumerate(
                zip(processes, report.processes, strict=True)
            )
        ),
        findings=(*findings, *findings_where_time_goes(told.values())),
        unchecked=unchecked(detail),
    )


def judge_recorded(*reports: Report) -> tuple[Report, ...]:
    """Reports that were read from files, judged by the rules of this version; they say so.

    Where one of them is of a version that did not keep all that the rules need, all keep the
    verdicts that were stored, and say that: two reports are to be judged alike or not at all.
    """
    if all(report.can_be_judged for report in reports):
        return tuple(replace(judge(report), judged_by=__version__) for report in reports)
    return tuple(
        replace(report, judged_by=report.judged_by or report.iotrace) for report in reports
    )


def _on_cpus(profiles: Sequence[ProcessProfile], cpus: int) -> list[ProcessProfile]:
    """With the CPUs that each may use (of so many), and what all of them used together."""
    traced_ns = sum(one.total.cpu_ns for one in profiles)
    limits = [one.process.limits for one in profiles]
    return _with_relatives(
        [
            replace(
                one,
                cpus=(limit and limit.cpus) or cpus,
                machine_cpus=cpus,
                traced_cpu_ns=traced_ns,
            )
            for one, limit in zip(profiles, limits, strict=True)
        ]
    )


def _with_relatives(profiles: Sequence[ProcessProfile]) -> list[ProcessProfile]:
    pids = {one.process.pid: one for one in profiles if one.process.pid}
    children: dict[int, list[ProcessProfile]] = {}
    for one in profiles:
        if one.process.parent is not None:
            children.setdefault(one.process.parent, []).append(one)
    return [
        replace(
            one,
            children=tuple(children.get(one.process.pid, ()) if one.process.pid else ()),
            parent=pids.get(one.process.parent or 0),
            siblings=tuple(
                other
                for other in children.get(one.process.parent or 0, ())
                if other.process is not one.process
            ),
        )
        for one in profiles
    ]


def _thread(row: Thread, seen: ProcessProfile) -> Thread:
    style = seen.styles[row.tid]
    if not style.id:
        return replace(row, model=None)
    role = {"loop": "event loop", "acceptor": "acceptor", "poller": "polls"}.get(style.role, "")
    title = f"{io_name(style)}: {role}" if role else io_name(style)
    return replace(row, model=Model(style.id, title, style.confidence, style.evidence))


def _summary(seen: ProcessProfile, model: Model) -> str:
    workers = [one for one in seen.children if one.total.operations]
    if model.shape == "pre-forked workers" and workers:
        return sentence_of_workers(workers)
    return sentence(seen)
