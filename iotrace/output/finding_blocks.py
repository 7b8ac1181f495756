# SPDX-License-Identifier: Apache-2.0
"""What is wrong, before all else: each finding with its process, its symptoms and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from iotrace.output import units
from iotrace.output.blocks import (
    Block,
    Facts,
    Heading,
    Paragraph,
    Table,
    Tone,
    figures,
    texts,
)
from iotrace.output.naming import is_sum, name_process, name_tid
from iotrace.output.tables import cost
from iotrace.report.model import Finding, Process, Report, Symptom

_TONES = {"high": Tone.ALARM, "medium": Tone.WARNING, "low": Tone.NOTICE}

IN_FULL = 8
"""Findings with all that there is to say; of the others one line each."""
_LARGE = 1000
"""A rate from here on has no digits behind the point."""
_COST = "cost: of all its threads or requests together, which may be more than the time traced."
_KINDS = {"wait": " of waiting", "cpu": " of CPU time"}
"""What a cost is, by ``Finding.cost_kind``."""
_PLACE = re.compile(r"^[^\s:]+:\d+ ")
"""How a line begins that names one."""
_SHORTEST_NAME = 4
"""Letters of a name that is looked for in a title, as "poll"."""
_SENTENCE = re.compile(r"\. (?=[A-Z`])|; ")
_LABELS = {
    "look at": "the line of the program, and what was seen of it",
    "leads to": "what goes away with it",
    "same wait": "how else it was seen",
    "same work": "how else that CPU time was seen",
}
_PROCESSES, _PLACES, _HERE = _OF_SEVERAL = ("processes", "places", "costs_here_ns")
"""Evidence of findings that are told together, where all else is of one of them."""
_OUTCOMES = 3
"""Processes without findings that are told of one by one."""


def blocks(report: Report, top: int | None) -> list[Block]:
    """The findings in the report's order: causes first. Nothing if no verdict was reached.

    What the report's detail could not look for is said, too: it is not known to be right.
    ``top``: rows of the table of those that are not shown in full; None: all are.
    """
    most = None if top is None else IN_FULL
    shown, rest = report.findings[:most], () if most is None else report.findings[most:]
    processes = {process.pid: process for process in report.processes}
    found = [
        block
        for one in shown
        for block in _finding(one, processes.get(one.pid), report.duration_ns)
    ]
    further = _in_short(rest, top)
    judged = any(process.model is not None for process in report.processes)
    return [
        *_heading(report),
        *found,
        *([further] if further else []),
        *_outcomes(report),
        *([Paragraph(_unchecked(report))] if judged and report.unchecked else []),
    ]


def _heading(report: Report) -> list[Block]:
    if not report.findings:
        return []
    used = {_label_of(one, cause) for cause in report.findings for one in cause.symptoms}
    used |= {label for finding in report.findings for label, _ in _lines(finding.lines)}
    told = [f"{label}: {text}." for label, text in _LABELS.items() if label in used]
    order = ["The worst first."] if len(report.findings) > 1 else []
    first = report.findings[0].id
    return [
        Heading(1, f"Findings ({units.format_count(len(report.findings))})"),
        Paragraph(" ".join([*order, *told, f"`iotrace explain {first}` says what {first} is."])),
    ]


def _label_of(one: Symptom, cause: Finding) -> str:
    """What computes, or spins, is no wait."""
    if not one.same_wait:
        return "leads to"
    return "same work" if cause.cost_kind == "cpu" else "same wait"


def _outcomes(report: Report) -> list[Block]:
    """Of families in which nothing was found; their eldest process has the sentence."""
    told = [process for process in report.processes if process.outcome]
    if not told:
        return []
    heading = Heading(1, "Findings (none)")
    if report.findings:
        heading = Heading(2, "Processes without findings")
    elif len(told) == 1:
        return [heading, Paragraph(told[0].outcome)]
    named = [f"Process {one.pid} {name_process(one)}: {one.outcome}" for one in told[:_OUTCOMES]]
    more = len(told) - _OUTCOMES
    left = [f"… and {units.plural(more, 'process')} more without findings."] if more > 0 else []
    return [heading, *map(Paragraph, (*named, *left))]


def _unchecked(report: Report) -> str:
    return (
        f"{report.detail.capitalize()} detail can't tell: {', '.join(report.unchecked)} "
        "(iotrace explain ID says what they are); --detail full looks for them."
    )


def _in_short(findings: Sequence[Finding], top: int | None) -> Table | None:
    if not findings:
        return None
    shown, rest = cost.costliest(findings, lambda finding: finding.cost_ns or 0, top)
    return Table(
        title=f"Further findings ({units.format_count(len(findings))})",
        legend=(_COST,),
        columns=(
            figures("pid", (name_tid(finding.pid) for finding in shown)),
            texts("severity", (finding.severity for finding in shown), least=6),
            texts("id", (finding.id for finding in shown), least=5),
            figures("cost", (units.format_duration(finding.cost_ns) for finding in shown)),
            texts("what", (finding.title for finding in shown), least=20),
        ),
        more=f"… and {units.format_count(len(rest))} more" if rest else "",
    )


def _finding(finding: Finding, process: Process | None, duration_ns: int) -> list[Block]:
    pairs = [("where", where(finding, process))]
    pairs += _lines(finding.lines)
    if finding.cost_ns:
        pairs.append(("costs", _cost(finding, finding.cost_ns, duration_ns)))
    if told := alike(finding):
        pairs.append(("alike", told))
    if seen := evidence(finding):
        pairs.append(("seen", seen))
    pairs += [(_label_of(one, finding), _follows(one, finding)) for one in finding.symptoms]
    pairs.append(("advice", finding.advice))
    title = f"{finding.severity.upper()} {finding.id}: {finding.title}"
    return [Heading(2, title, _TONES[finding.severity]), Facts(tuple(pairs))]


def _lines(lines: Sequence[str]) -> list[tuple[str, str]]:
    """The first one that names a place is where to look."""
    first = next((line for line in lines if _PLACE.match(line)), None)
    return [("look at" if line is first else "line", line) for line in lines]


def _cost(finding: Finding, cost_ns: int, duration_ns: int) -> str:
    """What it is, and of what it is a share: that of a sum of several may be more than all."""
    kind = _KINDS.get(finding.cost_kind, "")
    cost = f"{units.format_duration(cost_ns)}{kind}"
    here = finding.evidence.get(_HERE)
    if here is not None:
        own = _figure(_HERE, here)
        cost = f"{own}{kind} here; {cost} added up over {_several(finding) or 'all'}"
    if finding.requests_ns:
        part = units.format_percent(min(cost_ns, finding.requests_ns), finding.requests_ns)
        return f"{cost}, {part} of the time that requests take"
    if here is not None:
        return cost
    if cost_ns > duration_ns:
        return f"{cost}, added up over all its threads or requests"
    of = "of one CPU" if finding.cost_kind == "cpu" else "of the time traced"
    return f"{cost}, {units.format_percent(cost_ns, duration_ns)} {of}"


def alike(finding: Finding) -> str:
    """What else it is told of; "" of one alone."""
    several = _several(finding)
    if not several or _HERE not in finding.evidence:
        return several
    return f"{several}; what was seen is of the one named"


def _several(finding: Finding) -> str:
    """How many were told together: "9 places of 3 processes"; "" of one alone."""
    places, processes = (int(finding.evidence.get(name, 0)) for name in (_PLACES, _PROCESSES))
    parts = []
    if places > max(1, processes):
        parts.append(f"{places:,} places")
    if processes > 1:
        parts.append(f"{processes:,} processes")
    return " of ".join(parts)


def _follows(one: Symptom, cause: Finding) -> str:
    return symptom(one) if one.pid == cause.pid else f"in process {one.pid}: {symptom(one)}"


def symptom(one: Symptom) -> str:
    """What follows from a finding, in one sentence; its rule's page tells more."""
    first = _SENTENCE.split(one.title)[0]
    named = [
        f"{_label(key)} {text}"
        for key, text in one.evidence.items()
        if isinstance(text, str) and text not in first
    ]
    cost = [units.format_duration(one.cost_ns)] if one.cost_ns else []
    return f"{first} ({', '.join((one.id, *cost, *named))})"


def evidence(finding: Finding | Symptom) -> str:
    """What shows it, with units; not the names that its title has."""
    return ", ".join(
        f"{_label(key)}: {_figure(key, value)}"
        for key, value in finding.evidence.items()
        if key not in _OF_SEVERAL and not _is_in(value, finding.title)
    )


def _is_in(value: float | int | str, title: str) -> bool:
    """A name that stands there as a whole; short words are no names."""
    if not isinstance(value, str) or len(value) < _SHORTEST_NAME:
        return False
    return re.search(rf"(?<!\w){re.escape(value)}(?!\w)", title) is not None


def where(finding: Finding, process: Process | None) -> str:
    """Its process, thread and descriptor."""
    if process is not None and is_sum(process):
        return f"ended child processes of process {process.parent} ({process.name})"
    name = f" {name_process(process)}" if process is not None else ""
    places = [f"process {name_tid(finding.pid)}{name}"]
    if finding.tid is not None:
        places.append(f"thread {name_tid(finding.tid)}")
    if finding.fd is not None:
        places.append(f"descriptor {finding.fd}")
    return ", ".join(places)


def _label(key: str) -> str:
    for unit in ("_ns", "_bytes", "_ratio"):
        key = key.removesuffix(unit)
    return key.replace("_", " ")


def _figure(key: str, value: float | int | str) -> str:
    """The units are in the keys, as everywhere in the report."""
    if isinstance(value, str):
        return value
    if key.endswith("_ns"):
        return units.format_duration(value)
    if key.endswith("_ratio"):
        return units.format_percent(value, 1.0)
    if isinstance(value, int):
        return units.format_size(value) if key.endswith("_bytes") else units.format_count(value)
    return f"{value:.4g}" if abs(value) < _LARGE else units.format_count(round(value))
