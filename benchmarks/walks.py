# SPDX-License-Identifier: Apache-2.0
"""What it costs to walk a Python stack and to name an asyncio task, on each version of Python.

    sudo .venv/bin/python -m benchmarks.walks [--quick]

The kernel itself measures how long iotrace's program on sys_exit runs (BPF_ENABLE_STATS; what it
tail-calls is in). The versions take turns within one run of it, at the same depth of frames; the
same calls while none is slow enough to be walked are what is subtracted. Results are kept as those
of `python -m benchmarks` are.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.arithmetic import Estimate, estimate
from benchmarks.command import attached, fields_of, links
from benchmarks.probes import bpf_descriptor, program_of
from benchmarks.process_group import PROGRAMS, SERVER_CPU, prepare
from benchmarks.results import RESULTS, Results, machine
from benchmarks.table import document
from tests.interpreters import main_interpreters, version_of

_ENABLE_STATS = 32  # BPF_ENABLE_STATS, include/uapi/linux/bpf.h; BPF_STATS_RUN_TIME is 0
_BEFORE = "3.13"
"""What the newer ones must not be dearer than."""
_ALL, _NONE = "0", "1h"
"""Calls of so long are walked."""
_CALLS, _COLD_CALLS, _TASK_CALLS = 10_000, 100, 60


@dataclass(frozen=True, slots=True)
class Case:
    """Calls at a depth of frames, or in a task ("task") and in the same frames without one
    ("callback"); ``cold``: with caches that hold nothing of the program."""

    where: str
    calls: int
    cold: bool = False

    @property
    def title(self) -> str:
        return f"{self.where}{', cold caches' if self.cold else ''}"


_DEPTHS = (
    Case("1", _CALLS),
    Case("8", _CALLS),
    Case("30", _CALLS),
    Case("8", _COLD_CALLS, cold=True),
)
_NO_TASK = Case("8", _CALLS)
_TASKS = tuple(
    Case(where, _TASK_CALLS, cold) for cold in (False, True) for where in ("task", "callback")
)
_TASKS_TOLD = ("3.14", "3.15")
"""These tell where their tasks are, once they have imported asyncio."""
_WITH_ASYNCIO = " with asyncio"


@dataclass(frozen=True, slots=True)
class Walk:
    """``ns``: what a walk takes; ``ratio``: to that on 3.13, by pairs measured one after the other.
    None: there is no such Python here."""

    case: str
    version: str
    ns: Estimate
    ratio: Estimate | None


class _Program:
    """One version's program, which makes calls when it is told to. ``version`` ends in
    _WITH_ASYNCIO if it has imported that."""

    def __init__(self, python: str, *arguments: str) -> None:
        self.version = version_of(python) + (_WITH_ASYNCIO if arguments else "")
        self.cases = (_NO_TASK, *_TASKS) if arguments else _DEPTHS
        self._process = subprocess.Popen(
            [python, PROGRAMS / "walks.py", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            preexec_fn=lambda: prepare(SERVER_CPU),
        )
        self.pid = int(self._answer())

    def make(self, case: Case) -> None:
        """Those calls."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{case.where} {case.calls} {int(case.cold)}\n")
        self._answer()

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the program has ended"
        return line


_Figures = dict[tuple[Case, str], list[float]]
"""Case and version -> ns a call, round by round."""


def measured(rounds: int, attaches: int) -> list[Walk]:
    """All cases on every version of Python here."""
    with contextlib.ExitStack() as ends, run_time_counted():
        programs = []
        for python in main_interpreters():
            programs.append(_Program(python))
            ends.callback(programs[-1].end)
            if version_of(python) in _TASKS_TOLD:
                programs.append(_Program(python, "asyncio"))
                ends.callback(programs[-1].end)
        walked: _Figures = defaultdict(list)
        plain: _Figures = defaultdict(list)
        for number in range(attaches):
            print(f"bench: walks, {number + 1} of {attaches}", file=sys.stderr, flush=True)
            _measure(programs, _ALL, (*_DEPTHS, *_TASKS), rounds, walked)
            _measure(programs, _NONE, _DEPTHS, rounds, plain)
    found = [
        _walk(case, version, walked, plain)
        for case in _DEPTHS
        for version in (one.version for one in programs)
        if (case, version) in walked
    ]
    tasks = [
        _task(task, callback, version, walked)
        for task, callback in zip(_TASKS[::2], _TASKS[1::2], strict=True)
        for version in (one.version for one in programs)
        if (task, version) in walked
    ]
    return found + tasks


def _measure(
    programs: Sequence[_Program],
    min_latency: str,
    cases: Sequence[Case],
    rounds: int,
    into: _Figures,
) -> None:
    pids = [one.pid for one in programs]
    with attached(*pids, "--min-latency", min_latency) as tracer:
        program = program_of(links(tracer.pid)["sys_exit"])
        try:
            for one in programs:  # the probes learn its threads; its code is known
                one.make(Case("8", 1000))
            for _ in range(rounds):
                for case in cases:
                    for one in programs:
                        if case in one.cases:
                            before = _run_time_ns(program)
                            one.make(case)
                            ns = _run_time_ns(program) - before
                            into[case, one.version].append(ns / case.calls)
        finally:
            os.close(program)


def _walk(case: Case, version: str, walked: _Figures, plain: _Figures) -> Walk:
    base = median(plain[case, version])
    own = [ns - base for ns in walked[case, version]]
    other_base = median(plain.get((case, _BEFORE), [0]))
    others = [ns - other_base for ns in walked.get((case, _BEFORE), ())]
    ratios = [mine / theirs for mine, theirs in zip(own, others, strict=True)] if others else []
    return Walk(f"depth {case.title}", version, estimate(own), estimate(ratios) if ratios else None)


def _task(task: Case, callback: Case, version: str, walked: _Figures) -> Walk:
    pairs = zip(walked[task, version], walked[callback, version], strict=True)
    more = [inside - outside for inside, outside in pairs]
    return Walk(f"name and chain of a {task.title}", version, estimate(more), None)


class _EnableStats(ctypes.Structure):
    _fields_ = (("type", ctypes.c_uint32),)


@contextlib.contextmanager
def run_time_counted() -> Iterator[None]:
    """The kernel counts inside how often and how long each program runs."""
    fd = bpf_descriptor(_ENABLE_STATS, _EnableStats(0), "run-time statistics")
    try:
        yield
    finally:
        os.close(fd)


def _run_time_ns(program: int) -> int:
    return int(fields_of(Path(f"/proc/self/fdinfo/{program}"))["run_time_ns"])


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="roughly; the results are not kept")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        results = Results(Path(directory) / "results.json" if options.quick else RESULTS)
        walks = measured(2 if options.quick else 5, 1 if options.quick else 4)
        results.put("walks", "python", {"figures": walks, "machine": machine()})
        print(document({"machine": results.known["machine"], "walks": results.known["walks"]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
