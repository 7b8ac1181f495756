# SPDX-License-Identifier: Apache-2.0
"""What ``demo`` does: let servers perform under one trace, then print."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from iotrace import __version__
from iotrace.cli.exit_codes import exit_code
from iotrace.cli.options import Shown
from iotrace.cli.printer import Printer
from iotrace.demo import comparison_tables, model_comparison, scaling
from iotrace.demo.figures import Run
from iotrace.demo.load_options import COMPARED_DELAY_NS, LoadOptions, load_arguments, window_ns
from iotrace.demo.model_pages import after_tables, before_tables
from iotrace.demo.runner import Runner
from iotrace.engine.pid_namespace import require_own_proc
from iotrace.errors import ExitCode, UsageError
from iotrace.output import page
from iotrace.output.blocks import Block
from iotrace.output.markup import DEFAULT
from iotrace.privileges.capabilities import require_privileges
from iotrace.privileges.privilege_drop import Privileges
from iotrace.procfs.host import read_host
from iotrace.servers.catalog import ServerModel, Variant, find

SCHEMA = "iotrace.demo/1"
_CLEAR = "\r\x1b[K"
_BUSY_DURATION = "0.25"
_LEAST_COMPARED_DELAY_NS = 1_000_000


class _Output:
    """Opened once the probes are attached, by the user who called; used when privileges are gone.

    The servers and the load are started in between, as that user.
    """

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._opened: tuple[Privileges, Printer] | None = None

    def open(self) -> None:
        """Raises what Privileges.drop_to_looking and Printer raise."""
        privileges = Privileges.drop_to_looking()
        with privileges.resting():
            self._opened = privileges, Printer(self._shown)

    def printer(self) -> Printer:
        """Nothing more is looked at: for printing alone."""
        assert self._opened is not None
        privileges, printer = self._opened
        privileges.give_up()
        return printer

    def close(self) -> None:
        """What was not printed to its end leaves no file."""
        if self._opened is not None:
            self._opened[1].close()


def show(model: ServerModel, variant: Variant | None, options: LoadOptions, shown: Shown) -> int:
    """One model: its picture, its tables, what to see."""
    _require()
    arguments = load_arguments(model, variant, options)
    with contextlib.closing(_Output(shown)) as output:
        with Runner(_tell, output.open) as runner:
            with runner.server(model, variant.arguments if variant else ()) as server:
                runner.tell(f"{model.id}: under load")
                measurement = server.run_load(arguments, window_ns=window_ns(arguments, variant))
            words = server.words
        printer, report = output.printer(), measurement.report
        if shown.fmt != DEFAULT:
            printer.finish(report)
            return exit_code(report)
        run = Run(
            model.id, variant.id if variant else "", report, measurement.figures, measurement.result
        )
        printer.write(
            before_tables(model, variant, measurement)
            + printer.text(report)
            + after_tables(run, words)
        )
        printer.commit()
        return exit_code(report)


def compare(models: Sequence[ServerModel], options: LoadOptions, shown: Shown) -> int:
    """Several models: a row each, beside the textbook's claims."""
    _require(shown)
    delay_ns = COMPARED_DELAY_NS if options.delay_ns is None else options.delay_ns
    if delay_ns < _LEAST_COMPARED_DELAY_NS:
        raise click.UsageError("A comparison needs a --delay of 1 ms at least, to see who waits.")
    entries, left_out, reports = [], [], []
    with contextlib.closing(_Output(shown)) as output:
        with Runner(_tell, output.open) as runner:
            for model in models:
                if reason := model.unavailable():
                    left_out.append(f"{model.id}: {reason}")
                    continue
                with runner.server(model) as server:
                    runner.tell(f"{model.id}: a request every {delay_ns / 1e6:g} ms")
                    paced = server.run_load(load_arguments(model, None, options, delay_ns=delay_ns))
                    runner.tell(f"{model.id}: as fast as it goes")
                    reconnect = ("--reconnect",) if model.per_request_connection else ()
                    busy = server.run_load((*reconnect, "--duration", _BUSY_DURATION))
                rate = busy.result.requests_per_second
                entries.append(model_comparison.entry(model, paced.figures, delay_ns, rate))
                reports.append(paced.report)
        _print(
            output.printer(),
            shown,
            comparison_tables.blocks(entries, delay_ns, left_out),
            {
                "delay_ns": delay_ns,
                "models": model_comparison.to_dict(entries),
                "left_out": left_out,
            },
        )
        return exit_code(*reports)


def scale(
    models: Sequence[ServerModel], numbers: Sequence[int], options: LoadOptions, shown: Shown
) -> int:
    """Some models (none given: those of the textbook's argument) with more and more clients."""
    _require(shown)
    delay_ns = COMPARED_DELAY_NS if options.delay_ns is None else options.delay_ns
    payload = ("--payload", str(options.payload_bytes or 64))
    load = ("--delay-ms", f"{delay_ns / 1e6}", *payload)
    points = []
    with contextlib.closing(_Output(shown)) as output:
        with Runner(_tell, output.open) as runner:
            for model in models or [find(model_id) for model_id in scaling.MODELS]:
                with runner.server(model) as server:
                    for number in numbers:
                        runner.tell(f"{model.id}: {number:,} clients")
                        points.append(scaling.measure(model.id, server, number, load))
        _print(
            output.printer(),
            shown,
            scaling.blocks(points, delay_ns),
            {"delay_ns": delay_ns, "points": scaling.to_dict(points)},
        )
        return ExitCode.OK


def _print(printer: Printer, shown: Shown, blocks: Sequence[Block], facts: dict[str, Any]) -> None:
    if shown.fmt.startswith("json"):
        host = read_host()
        about = {"kernel": host.kernel, "machine": host.machine, "cpus": host.cpus}
        whole = {"schema": SCHEMA, "iotrace": __version__, "host": about, **facts}
        printer.write(json.dumps(whole, indent=2 if shown.fmt == "json" else None))
    else:
        printer.write(page.render(blocks, tablefmt=shown.fmt, width=printer.width()))
    printer.commit()


def _require(shown: Shown | None = None) -> None:
    """Raises what ``attach`` raises; and UsageError for a format that a comparison lacks."""
    require_privileges()
    require_own_proc()
    if shown is not None and shown.fmt.startswith(("csv", "tsv")):
        raise UsageError(
            f"A comparison has no format {shown.fmt}.",
            why="It is a page of several tables.",
            paste="iotrace demo --model all -f json",
        )


def _tell(line: str) -> None:
    """A line of progress, in the place of the last one; none where stderr is no terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(_CLEAR + line[:79])
        sys.stderr.flush()
