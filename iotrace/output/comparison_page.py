# SPDX-License-Identifier: Apache-2.0
"""The comparison of two recordings, as tables or as JSON."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence

from iotrace.comparison.comparison import Comparison, Difference, FindingChange, Side
from iotrace.errors import UsageError
from iotrace.output import formats, json_text, page, units
from iotrace.output.blocks import (
    NOTHING,
    Block,
    Facts,
    Heading,
    Paragraph,
    Table,
    Tone,
    figures,
    texts,
)
from iotrace.output.markup import DEFAULT
from iotrace.output.text import escape
from iotrace.output.view_options import View

_LEGEND = (
    "verdict: worse, better, changed: beyond the noise; same: within it; ?: too few samples. "
    "noise: how far apart the medians may be for no reason."
)
_VERDICTS = {"unknown": "?"}
_DEFAULT_TOP = 20

# In this order; within one, the biggest change first.
_RANKS = ("worse", "new", "gone", "changed", "better", "unknown", "same")

_FIGURES: dict[str, tuple[str, Callable[[float], str]]] = {
    "s_per_s": ("s a second", lambda value: f"{value:.3g}"),
    "per_s": ("a second", lambda value: f"{value:,.1f}"),
    "sleeps_per_s": ("sleeps a second", lambda value: f"{value:,.1f}"),
    "mean_ns": ("mean", units.format_duration),
    "p99_ns": ("p99", units.format_duration),
    "p99_busy_ns": ("p99 busy", units.format_duration),
    **{
        f"{name}_ns": (name.replace("_", " "), units.format_duration)
        for name in (
            *("p50", "p50_pickup", "p99_pickup", "p50_service", "p99_service", "p99_queue"),
            *("p99_last_byte", "p50_theirs", "p99_theirs", "p99_connect"),
        )
    },
    "cpu_ns_per_call": ("CPU", units.format_duration),
    "runq_share": ("share", lambda value: units.format_percent(value, 1.0)),
}


FORMATS = (DEFAULT, "json", *formats.TABULATE)


def check(format: str) -> None:
    """Raises UsageError if a comparison has no such format."""
    if format not in FORMATS:
        raise UsageError(
            f"there is no format {format!a} of a comparison", why=f"formats: {', '.join(FORMATS)}"
        )


def render(comparison: Comparison, format: str, view: View) -> str:
    """The comparison in one of ``FORMATS``; ``view.top`` rows a table (0: all).

    JSON is one object, its keys the fields of Comparison.
    """
    check(format)
    if format == "json":
        return json_text.dump(dataclasses.asdict(comparison))
    return page.render(
        _blocks(comparison, view.top), tablefmt=format, width=view.width, color=view.color
    )


def in_words(difference: Difference) -> str:
    """One difference in a sentence, for a log."""
    name, shown = _FIGURES[difference.figure]
    before, after = difference.a, difference.b
    assert before is not None
    assert after is not None
    return (
        f"{difference.verdict}: {escape(difference.process)}, {escape(difference.what)}, {name}: "
        f"{shown(before)} -> {shown(after)} ({_change(difference)})"
    )


def _details(comparison: Comparison) -> list[Block]:
    a, b = comparison.a.detail, comparison.b.detail
    if a == b:
        return []
    return [Paragraph(f"a has {a} detail, b {b}: only what both know of is compared.")]


def _requests(comparison: Comparison) -> list[Block]:
    """Why none are compared, where one of the two has some."""
    lacking = {
        name: side.no_requests
        for name, side in (("a", comparison.a), ("b", comparison.b))
        if side.no_requests
    }
    if not lacking:
        return []
    why = "; ".join(f"{name} has none: {reason}" for name, reason in lacking.items())
    return [Paragraph(f"Requests and calls upstream are not compared. {why}.")]


def _judges(comparison: Comparison) -> list[Block]:
    a, b = comparison.a.judged_by, comparison.b.judged_by
    if not a or not b:
        return []
    if a == b:
        return [Paragraph(f"Both are judged by the rules of iotrace {a}.")]
    return [
        Paragraph(
            f"The findings are as they were recorded, of a by the rules of iotrace {a}, of b by "
            f"those of {b}: one of the files does not keep all that later rules need."
        )
    ]


def _blocks(comparison: Comparison, wanted: int | None) -> list[Block]:
    top = _DEFAULT_TOP if wanted is None else wanted
    blocks: list[Block] = [
        Facts((("a", _described(comparison.a)), ("b", _described(comparison.b)))),
        *_conclusion(comparison),
        *_details(comparison),
        *_requests(comparison),
        *_judges(comparison),
        *_findings("New findings", comparison.findings_new, Tone.WARNING),
        *_findings("Findings that are gone", comparison.findings_gone, Tone.STRONG),
    ]
    for title, rows in (
        ("Requests", comparison.requests),
        ("Upstreams", comparison.upstreams),
        ("Processes", comparison.processes),
        ("Thread states", comparison.states),
        ("System calls", comparison.calls),
        ("Event loops", comparison.loops),
    ):
        blocks += _section(title, rows, top)
    if not comparison.differences:
        blocks.append(Paragraph("Nothing was measured in either."))
    return blocks


def _described(side: Side) -> str:
    return (
        f"{side.name}: {units.format_duration(side.duration_ns)} from {side.started_at}, "
        f"{units.plural(side.samples, 'sample')}, iotrace {side.iotrace}"
    )


def _conclusion(comparison: Comparison) -> list[Block]:
    """What the tables come to, before them."""
    counts = Counter(row.verdict for row in comparison.differences)
    if not counts:
        return []
    beyond = [f"{counts[name]} {name}" for name in ("worse", "better", "changed") if counts[name]]
    others = [
        f"{counts[verdict]:,} {words}"
        for verdict, words in (
            ("same", "within the noise"),
            ("unknown", "with too few samples to tell"),
            ("new", "only in b"),
            ("gone", "only in a"),
        )
        if counts[verdict]
    ]
    sentence = f"Beyond the noise: {', '.join(beyond) or 'nothing'}."
    total = units.plural(sum(counts.values()), "figure")
    return [Paragraph(f"{sentence} Of {total}: {', '.join(others)}." if others else sentence)]


def _findings(title: str, changes: Sequence[FindingChange], tone: Tone) -> list[Block]:
    if not changes:
        return []
    lines = tuple(
        (change.id, f"{change.severity}, {change.process}: {change.title}") for change in changes
    )
    return [Heading(2, f"{title} ({len(changes)})", tone), Facts(lines)]


def _section(title: str, rows: Sequence[Difference], top: int) -> list[Block]:
    if not rows:
        return []
    ranked = sorted(rows, key=_rank)
    shown = ranked[: top or None]
    rest = len(ranked) - len(shown)
    several = len({row.process for row in rows}) > 1
    columns = (
        *([texts("process", (row.process for row in shown), least=8)] if several else []),
        texts("what", (row.what for row in shown), least=12),
        texts("figure", (_FIGURES[row.figure][0] for row in shown), least=8),
        figures("a", (_shown(row, row.a) for row in shown)),
        figures("b", (_shown(row, row.b) for row in shown)),
        figures("change", map(_change, shown)),
        figures("noise", (_shown(row, row.noise) for row in shown), spare=1),
        texts("verdict", (_VERDICTS.get(row.verdict, row.verdict) for row in shown), least=7),
    )
    more = f"… and {units.format_count(rest)} more" if rest else ""
    return [Table(f"{title} ({len(rows):,})", (_LEGEND,), columns, more)]


def _rank(row: Difference) -> tuple[int, float]:
    change = float("inf") if row.change is None else abs(row.change)
    return _RANKS.index(row.verdict), -change


def _shown(row: Difference, value: float | None) -> str:
    return NOTHING if value is None else _FIGURES[row.figure][1](value)


def _change(row: Difference) -> str:
    return NOTHING if row.change is None else f"{100 * row.change:+.1f} %"
