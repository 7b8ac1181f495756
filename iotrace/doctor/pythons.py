# SPDX-License-Identifier: Apache-2.0
"""The Pythons that run on this host: what can be read of each, by reading them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iotrace.discovery.census import Candidate, take_census
from iotrace.doctor.check import Check, degraded, ok
from iotrace.errors import IotraceError, NoSuchProcess
from iotrace.output.units import plural
from iotrace.target_reader.asking import Asker
from iotrace.target_reader.programs import read_python
from iotrace.target_reader.reader import TargetReader
from iotrace.target_reader.stacks import Unread, read_interpreter

_LONGEST_NS = 5_000_000_000
"""A host has thousands of processes; those not looked at by then are counted."""
_LINES, _GIL_WAITS = "lines", "waits for the GIL"


@dataclass(frozen=True, slots=True)
class Answer:
    """``version``: of a CPython. ``no_lines``, ``no_gil``: why it has none of these; "": it has."""

    version: str
    no_lines: str = ""
    no_gil: str = ""


def checks() -> tuple[Check, ...]:
    """One of each version and what can be read of it. To be called while there are no probes."""
    with TargetReader() as reader:
        return tuple(_checks(read_all(reader, take_census().values())))


def read_all(reader: Asker, processes: Iterable[Candidate]) -> tuple[Counter[Answer], int]:
    """How many processes have each answer, and how many were not looked at."""
    found: Counter[Answer] = Counter()
    until_ns = time.monotonic_ns() + _LONGEST_NS
    skipped = 0
    for process in processes:
        if time.monotonic_ns() > until_ns:
            skipped += 1
        elif answer := _read(reader, process.pid):
            found[answer] += 1
    return found, skipped


def _read(reader: Asker, pid: int) -> Answer | None:
    """None: no CPython, or none whose version can be told."""
    try:
        build = read_python(reader, pid)
        if build is None:
            return None
    except IotraceError:
        return None
    try:
        found = read_interpreter(reader, pid)
    except NoSuchProcess:  # it has ended meanwhile
        return None
    except IotraceError as error:
        return Answer(build.version, no_lines=error.why or error.what)
    if found is None:  # it runs another program by now
        return None
    if isinstance(found, Unread):
        return Answer(build.version, no_lines=found.reason)
    interpreter, gils = found
    no_gil = interpreter.runtime.no_gil or ""
    if interpreter.runtime.offsets.gil_enabled is not None and not gils:
        no_gil = "it is built without a GIL"
    return Answer(build.version, no_gil=no_gil)


def _checks(read: tuple[Counter[Answer], int]) -> Iterator[Check]:
    found, skipped = read
    for answer, count in sorted(found.items(), key=lambda one: _order(one[0])):
        processes = plural(count, "process")
        feature = f"Python {answer.version}"
        if answer.no_lines:
            lost = f"python {_LINES} and {_GIL_WAITS} of these"
            yield degraded(feature, f"{processes}: {answer.no_lines}", lost)
        elif answer.no_gil:
            yield ok(feature, f"{processes}: {_LINES} are read; no {_GIL_WAITS}: {answer.no_gil}")
        else:
            yield ok(feature, f"{processes}: {_LINES} and {_GIL_WAITS} are read")
    if not found:
        yield ok("Pythons", "none but iotrace's own runs here, or none that it may look at")
    if skipped:
        left = plural(skipped, "process")
        verb = "was" if skipped == 1 else "were"
        yield ok("other Pythons", f"{left} {verb} not looked at: there are too many")


def _order(answer: Answer) -> tuple[tuple[int, ...], str, str, str]:
    numbers = tuple(int(part) for part in answer.version.split(".") if part.isdigit())
    return numbers, answer.version, answer.no_lines, answer.no_gil
