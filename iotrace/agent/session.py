# SPDX-License-Identifier: Apache-2.0
"""The trace of an agent: it has no end, and forgets what has ended once that is counted."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from iotrace.agent.exporter import Exporter
from iotrace.agent.identity import Identities
from iotrace.agent.listen import Address, open_listener
from iotrace.discovery.selection import Finder
from iotrace.discovery.selectors import Selector
from iotrace.engine.compile_workers import CompileWorkers
from iotrace.engine.features import absent_features
from iotrace.engine.image_source import ImageSource
from iotrace.engine.map_limits import limits_for, with_room_for_more
from iotrace.errors import IotraceError
from iotrace.metrics.catalogue import AGENT_MEMORY
from iotrace.metrics.prometheus import exposition
from iotrace.metrics.totals import Sample, Totals
from iotrace.privileges.caller_files import open_as_caller
from iotrace.privileges.capabilities import require_privileges
from iotrace.privileges.privilege_drop import Privileges
from iotrace.report.model import Report
from iotrace.target_reader.reader import TargetReader
from iotrace.tracing.loop import TraceLoop
from iotrace.tracing.start import Start
from iotrace.tracing.stop_conditions import signals_held
from iotrace.tracing.trace import Trace
from iotrace.tracing.trace_options import TraceOptions
from iotrace.tracing.wanted import Newcomers

_THOROUGH_EVERY_NS = 60_000_000_000
"""Descriptors are looked at, and findings made, once a minute."""


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """``selectors``: what to trace. ``listen`` None: nothing is served. ``hosts``: see Exporter.

    ``text_file`` None: nothing is written. ``trace.interval_ns``: how often figures are new.
    """

    selectors: tuple[Selector, ...]
    trace: TraceOptions
    listen: Address | None
    hosts: tuple[str, ...]
    text_file: str | None


def run_agent(options: AgentOptions, workers: CompileWorkers | None = None) -> None:
    """Until a signal ends it. Raises what attaching raises; Unsupported where it cannot serve."""
    require_privileges()
    every_ns = options.trace.interval_ns
    assert every_ns is not None
    with contextlib.ExitStack() as ends:
        ends.enter_context(signals_held())
        exporter = _exporter(options)
        if exporter is not None:
            ends.callback(exporter.close)
        reader = ends.enter_context(TargetReader())
        finder = Finder(options.selectors, reader)
        pids = tuple(sorted(finder.find()))
        limits = limits_for(pids, replace(options.trace.limits(), python=False))
        limits = with_room_for_more(limits)
        source = ImageSource(limits, absent_features(), workers)
        start = ends.enter_context(Start(source, reader))
        for pid in pids:
            with contextlib.suppress(IotraceError):  # it has ended meanwhile
                start.follow(pid, options.trace.children)
        with Trace(limits, start=start, keeps_ended=False) as trace:
            sink = _Sink(exporter, options.text_file)
            privileges = Privileges.drop_to_looking()
            loop = TraceLoop(
                trace,
                sink,
                alive=lambda: True,
                interval_ns=every_ns,
                on_interval=sink.interval,
                privileges=privileges,
                look_delays_ns=(),
                thorough_every=max(1, _THOROUGH_EVERY_NS // every_ns),
                newcomers=Newcomers(
                    finder,
                    children=options.trace.children,
                    every_ns=every_ns,
                ),
            )
            _say(f"tracing {len(pids)} processes ({options.trace.detail.value} detail)")
            if exporter is not None:
                _say(f"metrics at {exporter.address}")
            loop.wait(lambda number, from_terminal: True)
            loop.report_interval()
            privileges.give_up()


def _exporter(options: AgentOptions) -> Exporter | None:
    if options.listen is None:
        return None
    names = {"localhost", socket.gethostname().lower(), *map(str.lower, options.hosts)}
    return Exporter(open_listener(options.listen), options.listen, names)


class _Sink:
    """Adds up intervals and hands the metrics on."""

    def __init__(self, exporter: Exporter | None, text_file: str | None) -> None:
        self._exporter = exporter
        self._text_file = text_file
        self._totals = Totals()
        self._identities = Identities()
        self._failure = ""

    def tick(self, trace: Trace) -> None:
        """Nothing is shown between intervals."""

    def interval(self, report: Report) -> None:
        """One interval is over."""
        self._identities.meet(report)
        self._totals.add(report, self._identities.group_of)
        text = exposition(self._samples())
        if self._exporter is not None:
            self._exporter.publish(text)
        if self._text_file is not None:
            self._write(self._text_file, text)

    def _samples(self) -> Iterator[Sample]:
        yield from self._totals.samples()
        yield Sample(AGENT_MEMORY, None, (), float(_resident_bytes()))

    def _write(self, path: str, text: bytes) -> None:
        """A full disk is told once, and tried again with the next interval."""
        try:
            file = open_as_caller(path)
            with contextlib.closing(file):
                file.stream.write(text.decode())
                file.commit()
        except (IotraceError, OSError) as error:
            if str(error) != self._failure:
                _say(f"{path}: {error}")
            self._failure = str(error)
        else:
            self._failure = ""


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _say(what: str) -> None:
    """To the log of whoever started this."""
    sys.stderr.write(f"iotrace agent: {what}\n")
    sys.stderr.flush()
