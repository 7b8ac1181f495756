# SPDX-License-Identifier: Apache-2.0
"""The whole page: one file, nothing from elsewhere, and a policy that would stop it."""

from __future__ import annotations

import base64
import hashlib
import shlex
from importlib.resources import files

from iotrace.output import finding_blocks, quality, verdict
from iotrace.output.html import lanes, latencies, latency_pictures, sheet, states
from iotrace.output.html.elements import Markup, escaped, tag
from iotrace.output.naming import process_title
from iotrace.output.shown_part import head_lines, split
from iotrace.output.tables import processes_table
from iotrace.output.tables.of_process import tables_of
from iotrace.output.text import cut, escape
from iotrace.output.view_options import View
from iotrace.report.model import Process, Report
from iotrace.report.worker_sums import by_parent, by_worker

DEFAULT_TOP = 100

# Of more processes than these, the costliest have sections of their own.
_DETAILED = 5

# Calls with histograms, of all processes together: a picture takes 3 kB.
_CALLS_DRAWN = 24

_LONGEST_COMMAND = 4_000


def render(report: Report, view: View) -> str:
    """The page. ``view.top``: rows a table; 0: all, of all processes; None: ``DEFAULT_TOP``."""
    top = DEFAULT_TOP if view.top is None else view.top or None
    report = by_worker(report) if view.by_worker else by_parent(report)
    style = Markup(states.colours() + _asset("report.css"))
    script = _asset("report.js")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", _title(report)),
        tag("style", style),
    )
    body = tag("body", tag("main", *_sections(report, top, view.all_frames)), tag("script", script))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _asset(name: str) -> Markup:
    return Markup(files("iotrace.output.html").joinpath(name).read_text(encoding="utf-8"))


def _policy(style: str, script: str) -> str:
    """Only our own style and script, by their hashes; nothing is loaded, sent or framed."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _title(report: Report) -> str:
    names = dict.fromkeys(process.name for process in report.processes)
    return f"iotrace: {', '.join(names) or 'nothing'}"


def _sections(report: Report, top: int | None, all_frames: bool) -> list[Markup]:
    detailed, others = split(report, None if top is None else _DETAILED)
    title = "Other processes" if detailed else "Processes"
    rest = processes_table.table(others, title, top)
    most_calls = _CALLS_DRAWN // max(1, min(len(detailed), _DETAILED))
    return [
        tag(
            "header",
            tag("h1", "iotrace"),
            *(tag("p", line, class_="faint") for line in head_lines(report)),
        ),
        tag(
            "section",
            sheet.markup([*quality.warning(report), *finding_blocks.blocks(report, top)]),
            class_="verdict",
        ),
        *(
            _process(process, report, top, min(latencies.MOST_CALLS, most_calls), all_frames)
            for process in detailed
        ),
        *([sheet.markup([rest])] if rest is not None else []),
        tag("section", sheet.markup(quality.blocks(report)), class_="quality"),
    ]


def _process(
    process: Process, report: Report, top: int | None, most_calls: int, all_frames: bool
) -> Markup:
    command = cut(escape(shlex.join(process.cmdline)), _LONGEST_COMMAND)
    tables = tables_of(process, top, all_frames=all_frames)
    return tag(
        "article",
        tag("h2", process_title(process, report.processes)),
        *([tag("p", tag("code", escaped(command)))] if command else []),
        tag("div", sheet.markup(verdict.blocks(process, report)), class_="verdict"),
        latency_pictures.section(process),
        latency_pictures.upstreams(process),
        states.section(process),
        lanes.section(process),
        latencies.section(process, most_calls),
        sheet.markup([*tables]),
    )
