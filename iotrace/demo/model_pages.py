# SPDX-License-Identifier: Apache-2.0
"""The page of a model: as the demo prints it, and as docs/models keeps it.

``python -m iotrace.demo.model_pages DIRECTORY`` measures every model and writes docs/models. It
needs what ``iotrace demo`` needs.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from importlib import import_module, resources
from pathlib import Path

from iotrace.demo import comparison_tables, model_comparison
from iotrace.demo.diagram import WIDTH, draw
from iotrace.demo.figures import Run
from iotrace.demo.insights import insights
from iotrace.demo.load_options import COMPARED_DELAY_NS, LoadOptions, load_arguments, window_ns
from iotrace.demo.request import excerpt, typical
from iotrace.demo.runner import Measurement, Runner
from iotrace.demo.textbook import CLAIMS, Claims
from iotrace.engine.pid_namespace import require_own_proc
from iotrace.output import page
from iotrace.output.markup import DEFAULT
from iotrace.output.text import escape, wrap
from iotrace.output.units import format_duration, plural
from iotrace.output.view_options import DEFAULT_WIDTH
from iotrace.privileges.capabilities import require_privileges
from iotrace.procfs.host import read_host
from iotrace.servers.catalog import MODELS, ServerModel, Variant

INDEX = "README.md"


def before_tables(model: ServerModel, variant: Variant | None, measurement: Measurement) -> str:
    """What is being shown, and the picture."""
    about = f"{model.title} ({model.id}): {model.sentence}"
    if variant is not None:
        about += f" Here ({variant.id}): {variant.sentence}."
    return "\n".join([*wrap(about, WIDTH), "", *_picture(measurement), "", ""])


def after_tables(run: Run, words: Sequence[str]) -> str:
    """What to see; ``words``: what the server itself has said."""
    lines = ["", "What to see"]
    for sentence in insights(run):
        lines += wrap(escape(sentence), WIDTH, indent="  ", first="- ")
    if words:
        lines += ["", "What the server says of itself"]
        for word in words:
            lines += wrap(escape(word), WIDTH, indent="  ", first="- ")
    return "\n".join([*lines, ""])


def _picture(measurement: Measurement) -> list[str]:
    request = typical(measurement.requests)
    if request is not None:
        number = plural(len(measurement.requests), "request")
        since = "the arrival" if request.ready_ns is not None else "the copy"
        head = (
            f"One request of this run: of {number} watched, the one of median latency, "
            f"{format_duration(request.latency_ns)} from {since} of its data to the answer"
        )
        return [*wrap(head, WIDTH), "", *draw(request)]
    request = excerpt(measurement.events)
    if request is None:
        return ["No request was seen whole: a longer --duration, or a shorter --delay, helps."]
    return [
        "No request was answered while the server was watched. What it did:",
        "",
        *draw(request),
    ]


def source_of(model: ServerModel) -> str:
    """The text of the model's reference server, without its opening words (they are quoted)."""
    text = resources.files("iotrace.servers").joinpath(f"{model.module}.py").read_text("utf-8")
    return text.split('"""', 2)[2].strip() + "\n"


def model_page(model: ServerModel, shown: str) -> str:
    """The page of a model. ``shown``: what the demo printed: picture and sentences."""
    words = inspect.getdoc(import_module(f"iotrace.servers.{model.module}")) or ""
    parts = [
        f"# {model.title} (`{model.id}`)",
        model.sentence,
        "## The claim",
        words,
        _claims(CLAIMS[model.id]),
        "## The code",
        f"`python -m iotrace.servers.{model.module}`, in `servers/{model.module}.py`. What all "
        "servers share (protocol, handler, start and end) is in the files beside it.",
        f"```python\n{source_of(model)}```",
        "## The measured picture",
        f"{_host()}, by `sudo iotrace demo --model {model.id}`, which also prints the tables.",
        f"```\n{shown.strip()}\n```",
        "## What to try",
        _trials(model),
    ]
    return "\n\n".join(parts) + "\n"


def index_page(table: str) -> str:
    """The list of all pages, and the comparison."""
    pages = "\n".join(f"- [{model.id}]({model.id}.md): {model.title}" for model in MODELS)
    parts = [
        "# The I/O models, measured",
        pages,
        "## Side by side",
        f"{_host()}, by `sudo iotrace demo --model all`.",
        f"```\n{table.strip()}\n```",
        "These pages are written by `sudo .venv/bin/python -m iotrace.demo.model_pages "
        "docs/models`.",
    ]
    return "\n\n".join(parts) + "\n"


def _host() -> str:
    host = read_host()
    return f"Measured on Linux {host.kernel} {host.machine} with {host.cpus} CPUs"


def _claims(claims: Claims) -> str:
    """What the textbook says of the demo's figures."""
    said = {
        "system calls a request": claims.calls.text,
        "times asleep a request": claims.switches.text if claims.switches else "-",
        "asleep in": claims.asleep.text,
        "waits": claims.wait.text if claims.wait else "-",
        "data is picked up": claims.pickup.text,
        "CPU time": claims.cpu.text,
        "I/O": "synchronous" if claims.synchronous else "asynchronous",
    }
    rows = [f"| {figure} | {word} |" for figure, word in said.items()]
    return "\n".join(["| figure | the textbook |", "|---|---|", *rows])


def _trials(model: ServerModel) -> str:
    command = f"sudo iotrace demo --model {model.id}"
    trials = [
        *(f"`{command} --variant {v.id}`: {v.sentence}." for v in model.variants),
        f"`{command} --payload 1048576`: the copy becomes something to see.",
        f"`{command} --connections 10 --delay 5ms`: ten clients at a time.",
        f"`sudo iotrace demo --model {_companions(model)}`: beside its relatives.",
    ]
    return "\n".join(f"- {trial}" for trial in trials)


def _companions(model: ServerModel) -> str:
    other = "epoll" if model.id == "blocking" else "blocking"
    return f"{other},{model.id}"


def _text(model: ServerModel, variant: Variant | None, measurement: Measurement) -> str:
    name = variant.id if variant else ""
    run = Run(model.id, name, measurement.report, measurement.figures, measurement.result)
    return before_tables(model, variant, measurement).rstrip() + "\n" + after_tables(run, ())


def write(directory: Path) -> None:
    """Let every model perform and write all pages. Raises what ``iotrace demo`` raises."""
    directory.mkdir(parents=True, exist_ok=True)
    entries, left_out = [], []
    with Runner(lambda line: None) as runner:
        for model in MODELS:
            if reason := model.unavailable():
                left_out.append(f"{model.id}: {reason}")
                continue
            arguments = load_arguments(model, None, LoadOptions())
            with runner.server(model) as server:
                shown = server.run_load(arguments, window_ns=window_ns(arguments, None))
                slow = load_arguments(model, None, LoadOptions(), delay_ns=COMPARED_DELAY_NS)
                paced = server.run_load(slow).figures
                reconnect = ("--reconnect",) if model.per_request_connection else ()
                busy = server.run_load((*reconnect, "--duration", "0.25")).result
            rate = busy.requests_per_second
            entries.append(model_comparison.entry(model, paced, COMPARED_DELAY_NS, rate))
            (directory / f"{model.id}.md").write_text(model_page(model, _text(model, None, shown)))
    blocks = comparison_tables.blocks(entries, COMPARED_DELAY_NS, left_out)
    table = page.render(blocks, tablefmt=DEFAULT, width=DEFAULT_WIDTH)
    (directory / INDEX).write_text(index_page(table))


def main(arguments: Sequence[str]) -> None:
    """``arguments``: the directory."""
    if len(arguments) != 1:
        sys.exit("usage: python -m iotrace.demo.model_pages DIRECTORY")
    require_privileges()
    require_own_proc()
    write(Path(arguments[0]))


if __name__ == "__main__":
    main(sys.argv[1:])
