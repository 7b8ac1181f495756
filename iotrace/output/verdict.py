"""The head of a process: which I/O model it is, what shows it, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from iotrace.output import units
from iotrace.output.blocks import (
    Block,
    Facts,
    Heading,
    Items,
    Paragraph,
    Table,
    Tone,
    figures,
    texts,
)
from iotrace.output.naming import name_tid
from iotrace.output.tables import cost
from iotrace.report.model import Finding, Model, Process, Report, Symptom

_TONES = {"high": Tone.ALARM, "medium": Tone.WARNING, "low": Tone.NOTICE}


def blocks(process: Process, findings: Sequence[Finding], report: Report) -> list[Block]:
    """The model with its evidence, then each finding; nothing if no verdict was reached.

    What the report's detail could not look for is said, too: it is not known to be right.
    """
    found = [block for finding in findings for block in _finding(finding)]
    if process.model is not None and report.unchecked:
        found.append(Paragraph(_unchecked(report, bool(findings))))
    elif process.model is not None and process.model.confidence and not findings:
        found.append(Paragraph("Nothing wrong was found."))
    return [*_model(process), *found]


def _unchecked(report: Report, found: bool) -> str:
    nothing = "" if found else f"Nothing wrong was found by what {report.detail} detail knows. "
    return (
        f"{nothing}{report.detail.capitalize()} detail can't tell: {', '.join(report.unchecked)} "
        "(iotrace explain ID says what they are); --detail full looks for them."
    )


def elsewhere(findings: Sequence[Finding], top: int | None) -> Table | None:
    """One line a finding, for processes whose tables are not printed. Order: their cost."""
    if not findings:
        return None
    shown, rest = cost.costliest(findings, lambda finding: finding.cost_ns or 0, top)
    return Table(
        title=f"Findings in other processes ({units.format_count(len(findings))})",
        legend=(),
        columns=(
            figures("pid", (name_tid(finding.pid) for finding in shown)),
            texts("severity", (finding.severity for finding in shown), least=6),
            texts("id", (finding.id for finding in shown), least=5),
            figures("cost", (units.format_duration(finding.cost_ns) for finding in shown)),
            texts("what", (finding.title for finding in shown), least=20),
        ),
        more=f"… and {units.format_count(len(rest))} more" if rest else "",
    )


def _model(process: Process) -> list[Block]:
    model = process.model
    if model is None:
        return []
    kept: list[Block] = [Heading(2, _named(model)), Paragraph(process.summary)]
    kept.append(Items(model.evidence))
    others = Counter(
        thread.model.title
        for thread in process.threads
        if thread.model is not None and thread.model.id != model.id
    )
    if others:
        kinds = (f"{units.plural(number, 'thread')}: {title}" for title, number in others.items())
        kept.append(Items(tuple(kinds)))
    return kept


def _named(model: Model) -> str:
    return f"{model.title} (confidence {100 * model.confidence:.0f} %)"


def _finding(finding: Finding) -> list[Block]:
    pairs = []
    if finding.tid is not None or finding.fd is not None:
        pairs.append(("where", where(finding)))
    pairs += [("line", line) for line in finding.lines]
    if finding.cost_ns is not None:
        pairs.append(("costs", units.format_duration(finding.cost_ns)))
    if finding.evidence:
        pairs.append(("seen", evidence(finding)))
    pairs.append(("advice", finding.advice))
    pairs += [("causes", symptom(one)) for one in finding.symptoms]
    title = f"{finding.severity.upper()} {finding.id}: {finding.title}"
    return [Heading(3, title, _TONES[finding.severity]), Facts(tuple(pairs))]


def symptom(one: Symptom) -> str:
    """What follows from a finding, in one sentence."""
    cost = "" if one.cost_ns is None else f" ({units.format_duration(one.cost_ns)})"
    return f"{one.id} {one.title}{cost}"


def evidence(finding: Finding | Symptom) -> str:
    """What shows it, with units."""
    return ", ".join(
        f"{_label(key)}: {_figure(key, value)}" for key, value in finding.evidence.items()
    )


def where(finding: Finding) -> str:
    """Its thread and descriptor; "" where it has neither."""
    places = []
    if finding.tid is not None:
        places.append(f"thread {finding.tid}")
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
    return f"{value:.4g}"
