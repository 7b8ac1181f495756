"""``iotrace attach``: every way of ending prints a full report and leaves nothing in the kernel."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.command import (
    Ended,
    checked_report,
    iotrace,
    programs_left,
    started,
    wait_until_tracing,
)
from tests.kernel.targets import Target
from tests.waiting import DEADLINE_S, wait_until


@pytest.fixture
def target() -> Iterator[Target]:
    with Target("blocked.py") as target:
        yield target


def _kill(number: int) -> Callable[[subprocess.Popen[str], Target], None]:
    return lambda process, target: process.send_signal(number)


ENDINGS = {
    "sigint": _kill(signal.SIGINT),
    "sigterm": _kill(signal.SIGTERM),
    "sighup": _kill(signal.SIGHUP),
    "target": lambda process, target: os.kill(target.pid, signal.SIGKILL),
}


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_every_ending_is_a_full_report(
    target: Target, end: Callable[[subprocess.Popen[str], Target], None]
) -> None:
    with started("attach", target.pid, "-f", "json") as process:
        programs = wait_until_tracing(process)
        end(process, target)
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, stderr) == (0, "")
    _assert_full(checked_report(stdout), target)
    assert programs
    wait_until(lambda: not programs_left(programs), "the BPF programs to go")


def test_duration_ends_it(target: Target) -> None:
    ended = iotrace("attach", target.pid, "-d", "300ms", "-f", "json")
    assert (ended.code, ended.stderr) == (0, "")
    _assert_full(ended.report, target)
    assert ended.report["duration_ns"] >= 300_000_000


def test_killed_it_leaves_nothing_behind(target: Target) -> None:
    with started("attach", target.pid) as process:
        programs = wait_until_tracing(process)
        process.kill()
        process.wait(DEADLINE_S)
    assert programs
    wait_until(lambda: not programs_left(programs), "the BPF programs to go")


def test_a_report_can_go_to_a_file(target: Target, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    ended = iotrace("attach", target.pid, "-d", "100ms", "-f", "json", "-o", path)
    assert ended == Ended(0, "", "")
    _assert_full(checked_report(path.read_text()), target)


def test_the_table_names_the_target(target: Target) -> None:
    ended = iotrace("attach", target.pid, "-d", "100ms")
    assert (ended.code, ended.stderr) == (0, "")
    assert str(target.pid) in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_several_processes_at_once(target: Target) -> None:
    with Target("blocked.py") as other:
        ended = iotrace("attach", target.pid, "--pid", other.pid, "-d", "100ms", "-f", "json")
    assert ended.code == 0
    assert {target.pid, other.pid} <= {process["pid"] for process in ended.report["processes"]}


def _assert_full(report: dict[str, Any], target: Target) -> None:
    """The target with all its threads, each asleep all the time."""
    (process,) = (one for one in report["processes"] if one["pid"] == target.pid)
    expected = {target.pid} | {one["tid"] for one in target.facts["threads"].values()}
    assert {thread["tid"] for thread in process["threads"]} == expected
    for thread in process["threads"]:
        waited_ns = sum(thread["states_ns"]["wait"].values())
        assert waited_ns > 0.5 * thread["lifetime_ns"] > 0
    assert report["quality"]["unaccounted_ratio"] == 0
    assert report["quality"]["lost"] == dict.fromkeys(report["quality"]["lost"], 0)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_who_starts_it_may_have_closed_its_streams(
    target: Target, closed: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    words = [sys.executable, "-m", "iotrace", "attach", target.pid, "-d", "100ms", "-f", "json"]
    line = f"{shlex.join(map(str, words))} -o {report} {closed}"
    assert subprocess.run(line, shell=True, timeout=DEADLINE_S, check=False).returncode == 0
    _assert_full(checked_report(report.read_text()), target)
