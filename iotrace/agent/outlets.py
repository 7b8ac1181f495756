# SPDX-License-Identifier: Apache-2.0
"""Where the agent's metrics go: served, pushed, written to a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iotrace.agent.exporter import Exporter
from iotrace.agent.identity import Identities
from iotrace.agent.pusher import Pusher, State
from iotrace.errors import IotraceError
from iotrace.metrics import catalogue as metrics
from iotrace.metrics.prometheus import exposition
from iotrace.metrics.running_totals import Sample, Totals
from iotrace.metrics.wire import pack
from iotrace.privileges.caller_files import open_as_caller
from iotrace.report.model import Report
from iotrace.snapshot.snapshot import Snapshot
from iotrace.tracing.trace import Trace


@dataclass(frozen=True, slots=True)
class Outlets:
    """``exporter``: serves; ``pusher``: pushes; ``text_file``: is written. None: it does not."""

    exporter: Exporter | None = None
    pusher: Pusher | None = None
    text_file: str | None = None


class MetricsSink:
    """Adds up intervals and hands the metrics on."""

    def __init__(self, outlets: Outlets) -> None:
        self._outlets = outlets
        self._totals = Totals()
        self._identities = Identities()
        self._failure = ""
        self._pushing = State()

    def tick(self, trace: Trace) -> None:
        """Nothing is shown between intervals."""

    def interval(self, report: Report) -> None:
        """One interval is over."""
        self._identities.meet(report)
        self._totals.add(report, self._identities.group_of)
        outlets = self._outlets
        if outlets.pusher is not None:
            self._tell(outlets.pusher.url, outlets.pusher.poll())
        samples = tuple(self._samples())
        if outlets.exporter is not None or outlets.pusher is not None:
            frame = pack(samples)
            if outlets.exporter is not None:
                outlets.exporter.publish(frame)
            if outlets.pusher is not None:
                outlets.pusher.publish(frame)
        if outlets.text_file is not None:
            self._write(outlets.text_file, exposition(samples))

    def snapshot(self, snapshot: Snapshot, trace: Trace) -> None:
        """Metrics are made of reports alone."""

    def finish(self, report: Report) -> None:
        """The report of the last interval, which has been handed on already."""

    def close(self) -> None:
        """The last interval has been handed on: what became of it?"""
        if self._outlets.pusher is not None:
            self._tell(self._outlets.pusher.url, self._outlets.pusher.close())

    def _samples(self) -> Iterator[Sample]:
        yield from self._totals.samples()
        yield Sample(metrics.AGENT_MEMORY, None, (), float(_resident_bytes()))
        if self._outlets.pusher is not None:
            state = self._pushing
            yield Sample(metrics.AGENT_PUSHES, None, ("pushed",), state.pushed)
            yield Sample(metrics.AGENT_PUSHES, None, ("lost",), state.lost)
            yield Sample(metrics.AGENT_PUSHES_WAITING, None, (), state.waiting)

    def _tell(self, url: str, state: State) -> None:
        """Once when an endpoint does not answer, once when it does again; each loss."""
        before, self._pushing = self._pushing, state
        if state.why and state.why != before.why:
            say(f"{url}: {state.why}; {state.waiting} intervals wait")
        if state.lost > before.lost:
            say(f"{url}: {state.lost} intervals were not pushed")
        if before.why and not state.why:
            say(f"{url} takes metrics again")

    def _write(self, path: str, text: bytes) -> None:
        """A full disk is told once, and tried again with the next interval."""
        try:
            file = open_as_caller(path)
            with contextlib.closing(file):
                file.stream.write(text.decode())
                file.commit()
        except (IotraceError, OSError) as error:
            if str(error) != self._failure:
                say(f"{path}: {error}")
            self._failure = str(error)
        else:
            self._failure = ""


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def say(what: str) -> None:
    """To the log of whoever started this."""
    sys.stderr.write(f"iotrace agent: {what}\n")
    sys.stderr.flush()
