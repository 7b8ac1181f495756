# SPDX-License-Identifier: Apache-2.0
"""Set a case up and record it.

``start`` runs in an empty directory that holds copies of the case's files and of clinic/shared, so
that no case's name can show up in a report. It finds in its environment PY (python of the case's
virtual environment), PORT (the first of 20 free ports) and WORK (that directory); it sources
stage.sh, prints ``PID <n>...`` (what a user would attach to) when all is set up, and stays.
At the end its process group gets SIGTERM, and SIGKILL where anything is left.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

from clinic.case import Case
from clinic.environment import free_ports, python_with

Popen: TypeAlias = "subprocess.Popen[str]"
SHARED = Path(__file__).parent / "shared"
_PATIENCE_S = 120
"""For a recording to be written, and for a report."""
_INCOMPLETE = 6
"""The exit code of a report that misses something, and says what."""
_GRACE_S = 5
_FIRST = ("nice", "-n", "-10")
"""So that what else the machine does leaves the case alone."""


class Broken(Exception):
    """The case could not be set up or recorded: says nothing about iotrace's diagnosis."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """``text`` and ``report``: what ``iotrace report`` prints, for people and as JSON."""

    text: str
    report: dict[str, Any]


def record(case: Case, iotrace: str) -> Recorded:
    """Raises Broken, with the path of a log where there is one."""
    missing = [command for command in case.have if not shutil.which(command)]
    if missing:
        raise Broken(f"needs {', '.join(missing)}")
    python = python_with(case.needs)
    work = Path(tempfile.mkdtemp(prefix="run-"))
    for source in (SHARED, case.directory):
        shutil.copytree(source, work, dirs_exist_ok=True)
    work.chmod(0o777)
    kept = work / "trace.iot"
    with _started(case, python, work) as pids:
        time.sleep(case.warmup)
        _record(case, iotrace, pids, kept)
    recorded = printed(iotrace, kept)
    shutil.rmtree(work, ignore_errors=True)
    return recorded


@contextmanager
def _started(case: Case, python: str, work: Path) -> Iterator[list[str]]:
    environment = {**os.environ, "PY": python, "PORT": str(free_ports()), "WORK": str(work)}
    with (work / "start.log").open("wb") as log:
        start = _started_first(["bash", "start"], stderr=log, cwd=work, env=environment)
    try:
        yield _pids(start, case.patience, work)
    finally:
        _end(start)


def _started_first(command: list[str], stderr: IO[bytes] | int, **options: Any) -> Popen:
    """In a session of its own, before all else on this machine. The tracer as well: it must not
    wait for a case that takes all CPUs."""
    started = subprocess.Popen(
        [*_FIRST, *command],
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        text=True,
        **options,
    )
    with suppress(OSError):  # where the kernel groups sessions, "nice" counts only inside of one
        Path(f"/proc/{started.pid}/autogroup").write_text(_FIRST[-1])
    return started


def _pids(start: Popen, patience: float, work: Path) -> list[str]:
    assert start.stdout
    end = time.monotonic() + patience
    while select.select([start.stdout], [], [], max(0, end - time.monotonic()))[0]:
        line = start.stdout.readline()
        if line.startswith("PID "):
            return line.split()[1:]
        if not line:
            break
    raise Broken(f"start printed no PID, see {work}/*.log")


def _end(start: Popen) -> None:
    """Ends the whole process group. Its leader is not reaped before, so that no other group can
    have its number."""
    os.killpg(start.pid, signal.SIGTERM)
    end = time.monotonic() + _GRACE_S
    left = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while os.waitid(os.P_PID, start.pid, left) is None and time.monotonic() < end:
        time.sleep(0.05)
    os.killpg(start.pid, signal.SIGKILL)
    start.wait()


def _record(case: Case, iotrace: str, pids: list[str], kept: Path) -> None:
    told = [iotrace, "record", *pids, "-d", str(case.seconds), "-o", str(kept)]
    run = _started_first(told, stderr=subprocess.PIPE)
    try:
        _, errors = run.communicate(timeout=case.seconds + _PATIENCE_S)
    except subprocess.TimeoutExpired as late:
        os.killpg(run.pid, signal.SIGKILL)
        raise Broken(f"iotrace record took longer than {late.timeout:.0f} s") from late
    if not kept.exists():
        raise Broken(f"iotrace record: exit {run.returncode}: {errors[-300:]}")


def printed(iotrace: str, kept: Path) -> Recorded:
    """What ``iotrace report`` says of a recording, or of a report as JSON. Raises Broken."""
    return Recorded(
        text=_report(iotrace, kept, "--no-color"),
        report=json.loads(_report(iotrace, kept, "-f", "json")),
    )


def _report(iotrace: str, kept: Path, *options: str) -> str:
    told = [iotrace, "report", str(kept), *options]
    run = subprocess.run(told, capture_output=True, text=True, timeout=_PATIENCE_S, check=False)
    if run.returncode not in (0, _INCOMPLETE):
        raise Broken(f"iotrace report: exit {run.returncode}: {run.stderr[-300:]}")
    return run.stdout
