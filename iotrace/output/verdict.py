# SPDX-License-Identifier: Apache-2.0
"""The head of a process: which I/O model it is and what shows it."""

from __future__ import annotations

from collections import Counter

from iotrace.output import units
from iotrace.output.blocks import Block, Heading, Items, Paragraph
from iotrace.report.model import Finding, Model, Process, Report

_UNKNOWN = "unknown"


def blocks(process: Process, report: Report) -> list[Block]:
    """The model with its evidence; nothing if no verdict was reached."""
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
    here = [_short(one) for one in report.findings if one.pid == process.pid]
    return [*kept, *([Paragraph(f"Found, see above: {', '.join(here)}.")] if here else [])]


def _short(finding: Finding) -> str:
    return f"{finding.severity.upper()} {finding.id}"


def _named(model: Model) -> str:
    if model.id == _UNKNOWN:  # why, its evidence says
        return "I/O model: not certain yet, too few reads, accepts and polls have returned"
    return f"{model.title} (confidence {100 * model.confidence:.0f} %)"
