"""The demo's page: the picture of one request, and what to see in the run."""

from __future__ import annotations

from collections.abc import Sequence

from iotrace.demo.diagram import WIDTH, draw
from iotrace.demo.insights import sentences
from iotrace.demo.request import excerpt, typical
from iotrace.demo.run import Run
from iotrace.demo.runner import Performance
from iotrace.output.text import escape, wrap
from iotrace.output.units import format_duration, plural
from iotrace.servers.catalog import ServerModel, Variant


def before_tables(model: ServerModel, variant: Variant | None, performance: Performance) -> str:
    """What is being shown, and the picture."""
    about = f"{model.title} ({model.id}): {model.sentence}"
    if variant is not None:
        about += f" Here ({variant.id}): {variant.sentence}."
    return "\n".join([*wrap(about, WIDTH), "", *_picture(performance), "", ""])


def after_tables(run: Run, words: Sequence[str]) -> str:
    """What to see; ``words``: what the server itself has said."""
    lines = ["", "What to see"]
    for sentence in sentences(run):
        lines += wrap(escape(sentence), WIDTH, indent="  ", first="- ")
    if words:
        lines += ["", "What the server says of itself"]
        for word in words:
            lines += wrap(escape(word), WIDTH, indent="  ", first="- ")
    return "\n".join([*lines, ""])


def _picture(performance: Performance) -> list[str]:
    request = typical(performance.requests)
    if request is not None:
        number = plural(len(performance.requests), "request")
        since = "the arrival" if request.ready_ns is not None else "the copy"
        head = (
            f"One request of this run: of {number} watched, the one of median latency, "
            f"{format_duration(request.latency_ns)} from {since} of its data to the answer"
        )
        return [*wrap(head, WIDTH), "", *draw(request)]
    request = excerpt(performance.events)
    if request is None:
        return ["No request was seen whole: a longer --duration, or a shorter --delay, helps."]
    return [
        "No request was answered while the server was watched. What it did:",
        "",
        *draw(request),
    ]
