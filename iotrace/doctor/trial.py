# SPDX-License-Identifier: Apache-2.0
"""The real probes of each detail: compiled, loaded, attached, and tried on a child of ours.

The child does what is known beforehand, so that its report can be checked: a kernel or a compiler
with which the probes load but count wrongly is found out here.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from iotrace.doctor import suggested_commands
from iotrace.doctor.check import Check, Status, degraded, missing, ok
from iotrace.engine.image_source import ImageSource
from iotrace.engine.loader import PROBE_REFUSED
from iotrace.engine.map_limits import Limits
from iotrace.errors import IotraceError, NoSuchProcess
from iotrace.report.detail import Detail
from iotrace.report.model import Process, Report, Thread
from iotrace.tracing.start import Start
from iotrace.tracing.trace import Trace

_WRITES = 101
_SLEEPS, _SLEEP_S = 11, 0.002
_SLEPT_NS = int(_SLEEPS * _SLEEP_S * 1e9)
_GAP_RATIO, _GAP_NS = 0.001, 1_000_000
"""Snapshots date a thread that runs on another CPU by that CPU's clock."""


def checks(absent: frozenset[str]) -> tuple[Check, ...]:
    """One of each detail. ``absent``: features to treat as if they were not there.

    Takes 2 to 5 s: nothing that was compiled before is used.
    """
    answers = {detail: _tried(detail, absent) for detail in Detail}
    if all(answer.status is Status.MISSING for answer in answers.values()):
        return tuple(answers.values())
    return tuple(
        degraded(answer.feature, answer.detail, f"attach --detail {detail.value}", answer.paste)
        if answer.status is Status.MISSING
        else answer
        for detail, answer in answers.items()
    )


def _tried(detail: Detail, absent: frozenset[str]) -> Check:
    feature = f"{detail.value} detail"
    begin_ns = time.monotonic_ns()
    try:
        report, pid, own_prelude = _traced(detail, absent)
    except IotraceError as error:
        why = f"{error.what} {error.why}".strip()
        paste = f"sudo iotrace attach --dry-run --detail {detail.value} -v"
        if not error.details:
            paste = error.paste
        return missing(feature, why, suggested_commands.everywhere(paste) if paste else None)
    except OSError as error:  # a process or a descriptor too many
        return missing(feature, str(error))
    if faults := _faults(report, pid, detail):
        return degraded(
            feature,
            f"a trial trace was wrong: {'; '.join(faults)}",
            "trust in its figures: please report this",
            suggested_commands.everywhere(
                f"uname -r; sudo iotrace doctor  # attach --detail {detail.value}"
            ),
        )
    if refused := _refused(report):
        reasons = "; ".join(sorted(set(refused.values())))
        return degraded(
            feature,
            f"otherwise right about a trial process, but {reasons}",
            "; ".join(refused),
            suggested_commands.everywhere("uname -r; sudo iotrace doctor -f json  # please report"),
        )
    if not own_prelude:
        return degraded(
            feature,
            "iotrace's prelude does not compile with this bcc; bcc's own did",
            "quick compiling: it takes twice as long",
            suggested_commands.everywhere(
                "python3 -c 'import bcc; print(bcc.__version__)'  # please report"
            ),
        )
    passed_ms = (time.monotonic_ns() - begin_ns) // 1_000_000
    return ok(feature, f"compiled, attached, and right about a trial process ({passed_ms} ms)")


def _traced(detail: Detail, absent: frozenset[str]) -> tuple[Report, int, bool]:
    """The report of a child from before its work to after it, its pid, and Image.own_prelude.

    Raises IotraceError, OSError.
    """
    limits = Limits(detail=detail)
    with _worker() as (pid, command, answer):  # first: it must not hold a compile worker's pipes
        source = ImageSource(limits, absent, kept=False)
        with Trace(limits, absent, start=Start(source)) as trace:
            trace.follow(pid, children=False)
            os.write(command, b"x")
            if not os.read(answer, 1):
                raise NoSuchProcess("The trial process has ended.", why="Somebody killed it.")
            report = trace.report(trace.snapshot(), judged=False)
        assert source.image is not None
        return report, pid, source.image.own_prelude


@contextmanager
def _worker() -> Iterator[tuple[int, int, int]]:
    """A child that works when it is told to: its pid, and the pipes to tell it and to hear it."""
    told, command = os.pipe()
    answer, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            os.close(command)
            os.close(answer)
            _work(told, done)
        os._exit(0)
    os.close(told)
    os.close(done)
    try:
        yield pid, command, answer
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(command)
        os.close(answer)


def _work(told: int, done: int) -> None:
    """In the child: once it is told, _WRITES writes to a pipe and _SLEEPS sleeps; then it waits."""
    reader, writer = os.pipe()
    os.read(told, 1)
    for _ in range(_WRITES):
        os.write(writer, b"x")
    for _ in range(_SLEEPS):
        time.sleep(_SLEEP_S)
    os.write(done, b"x")
    os.read(told, 1)
    os.close(reader)


def _refused(report: Report) -> dict[str, str]:
    """What is n/a because the kernel's verifier refused a probe, and which."""
    unavailable = report.quality.unavailable
    return {what: why for what, why in unavailable.items() if why.startswith(PROBE_REFUSED)}


def _faults(report: Report, pid: int, detail: Detail) -> list[str]:
    """What is wrong in the report of such a child."""
    faults = []
    if report.quality.lost.total:
        faults.append(f"{report.quality.lost.total} records or probe runs were lost")
    processes = [one for one in report.processes if one.pid == pid]
    if len(processes) != 1 or len(processes[0].threads) != 1:
        return [*faults, "the process is not in the report"]
    (thread,) = processes[0].threads
    gap_ns = abs(_states_ns(thread) - thread.lifetime_ns)
    if gap_ns > max(thread.lifetime_ns * _GAP_RATIO, _GAP_NS):
        faults.append(f"{gap_ns / 1e6:.1f} ms of a thread's time are in no state")
    slept_ns = thread.states_ns.wait.get("sleep", 0)
    if slept_ns < _SLEPT_NS:
        faults.append(f"{slept_ns / 1e6:.1f} ms of sleep, not {_SLEPT_NS / 1e6:.0f}")
    writes = _writes(processes[0])
    if detail is Detail.FULL and writes != _WRITES + 1:
        faults.append(f"{writes} writes to pipes, not {_WRITES + 1}")
    return faults


def _states_ns(thread: Thread) -> int:
    states = thread.states_ns
    return states.on_cpu + states.runq + states.unaccounted + sum(states.wait.values())


def _writes(process: Process) -> int:
    calls = (call for call in process.calls if (call.syscall, call.kind) == ("write", "pipe"))
    return sum(call.calls or 0 for call in calls)
