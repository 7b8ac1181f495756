"""``iotrace tasks`` on every Python: names, chains, awaiters, descriptors, times as they are."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from iotrace.errors import ExitCode
from iotrace.report.model import Process
from iotrace.report.requests import SlowRequest
from iotrace.report.stacks import Line, StallCause
from tests.interpreters import label, main_interpreters, version_of
from tests.kernel.command import iotrace
from tests.kernel.python.marks import FIRST
from tests.kernel.targets import Target
from tests.kernel.tracing import process_of, report_of, tracing
from tests.sid_pythons import packages_folder, sid_pythons
from tests.waiting import wait_until

_SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "tasks.schema.json").read_text())
_HOSTILE = "\x1b[31m\u202e\n" + "x" * 193
_BLOCKER = ("blocker", "gathered", "outer", "Task-1")
_COMPUTER = ("computer", "awaited", "outer", "Task-1")
_UVLOOP = (sys.executable, *sid_pythons())


@contextmanager
def running(python: str, *arguments: object) -> Iterator[Target]:
    """The program, all of its tasks where they stay."""
    target = Target("tasks.py", *arguments, python=python)
    try:
        yield target
    finally:
        target.close()


def _listed(pid: int, *options: str) -> dict[str, Any]:
    ended = iotrace("tasks", pid, "-f", "json", *options)
    assert (ended.code, ended.stderr) == (ExitCode.OK, "")
    found: dict[str, Any] = json.loads(ended.stdout)
    jsonschema.validate(found, _SCHEMA)
    return found


def _check(facts: dict[str, Any], listed: dict[str, Any], version: tuple[int, ...]) -> None:
    tasks = {one["name"]: one for one in listed["tasks"]}
    names = {one["id"]: one["name"] for one in listed["tasks"]}
    chains = {
        name: [[at["function"].rpartition(".")[2], at["line"]] for at in one["chain"]]
        for name, one in tasks.items()
    }
    true = {name[:200]: chain for name, chain in facts["chains"].items()}
    assert {name: chains[name] for name in true} == true
    assert set(tasks) == {*true, "spins", facts["main"], "more 0", "more 1"}
    assert tasks[_HOSTILE]["name_length"] == (1 << 20) + 7
    assert {one["state"] for name, one in tasks.items() if name != "spins"} == {"suspended"}

    def awaiters(name: str) -> set[str]:
        return {names[one] for one in tasks[name]["awaited_by"]}

    assert {"joins", facts["main"]} <= awaiters("middle")
    inside = {name for name in tasks if awaiters(name) == {"gathers"}}
    assert {chains[name][0][0] for name in inside} == {"leaf", "middle"}
    if version >= (3, 14):
        assert awaiters("middle") == {"joins", "waits", facts["main"]}
        assert awaiters("in group") == {"groups"}
        assert {one["thread"] for one in tasks.values()} == {facts["pid"]}
    reader = tasks["reader"]["descriptor"]
    assert reader["fd"] == facts["descriptors"]["reader"]
    assert (reader["kind"], reader["peer"]) == ("tcp", facts["peer"])


@pytest.mark.parametrize("python", main_interpreters(), ids=label)
def test_tasks_are_told_as_they_are_inside(python: str) -> None:
    version = tuple(map(int, version_of(python).split(".")))
    with running(python, 2) as target:
        began_ns = time.monotonic_ns()
        listed = _listed(target.pid)
        ended_ns = time.monotonic_ns()
        _check(target.facts, listed, version)
    tasks = {one["name"]: one for one in listed["tasks"]}
    receives = tasks["receives"]["descriptor"]
    assert (receives["fd"], receives["kind"]) == (target.facts["descriptors"]["receives"], "unix")
    # Since when: the timer of a sleep is exact; others were there at every look.
    slept = tasks["sleeps"]["suspended"]
    assert slept["known_by"] == "timer"
    since_ns = target.facts["slept_ns"]
    assert began_ns - since_ns - 50_000_000 < slept["at_least_ns"] < ended_ns - since_ns
    assert 0 < tasks["sleeps"]["wakes_in_ns"] < 10**12
    still = tasks["reader"]["suspended"]
    assert (still["known_by"], still["at_most_ns"]) == ("looks", None)
    assert 250_000_000 < still["at_least_ns"] <= listed["watched_ns"]
    spins = tasks["spins"]["suspended"]  # a busy machine may stop its process for any time
    assert spins is None or spins["known_by"] == "timer"


@pytest.mark.parametrize("python", _UVLOOP, ids=label)
def test_tasks_on_uvloop(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    version = sid_pythons().get(python, sysconfig.get_python_version())
    packages = packages_folder(version)
    if packages is not None:
        monkeypatch.setenv("PYTHONPATH", str(packages))
    with running(python, 2, "uvloop") as target:
        listed = _listed(target.pid, "-d", "0")
        _check(target.facts, listed, tuple(map(int, version.split("."))))
    assert {one["loop"] for one in listed["tasks"]} == {"uvloop.Loop"}


def test_ten_thousand_tasks_are_listed_within_a_second_of_cpu_time() -> None:
    with running(sys.executable, 10_000) as target:
        before = os.times()
        ended = iotrace("tasks", target.pid, "-f", "json")
        after = os.times()
        tasks = json.loads(ended.stdout)["tasks"]
        assert sum(one["name"].startswith("more ") for one in tasks) == 10_000
        assert target.process.poll() is None
    spent_s = after.children_user + after.children_system
    spent_s -= before.children_user + before.children_system
    assert spent_s < 3  # 1.2 s on a busy machine


def test_errors_have_the_exit_codes_of_the_family() -> None:
    sleeper = ["sleep", "60"]
    plain = [sys.executable, "-S", "-c", "import time; print(flush=True); time.sleep(60)"]
    for line, why in ((sleeper, "is not CPython"), (plain, "does not use asyncio")):
        with subprocess.Popen(line, stdout=subprocess.PIPE) as process:
            if line is plain:
                assert process.stdout is not None
                process.stdout.readline()
            ended = iotrace("tasks", process.pid)
            process.kill()
        assert (ended.code, ended.stdout) == (ExitCode.UNSUPPORTED, "")
        assert why in ended.stderr
    gone = iotrace("tasks", process.pid)
    assert (gone.code, gone.stdout) == (ExitCode.NO_PROCESS, "")
    assert "There is no process" in gone.stderr


def test_without_the_privilege_it_says_so() -> None:
    without = ("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace")
    with running(sys.executable, 0) as target:
        line = [*without, sys.executable, "-m", "iotrace", "tasks", str(target.pid)]
        ended = subprocess.run(line, capture_output=True, text=True, check=False)
        assert re.search(rf"try:  sudo .*iotrace tasks {target.pid}\n", ended.stderr)
    assert (ended.returncode, ended.stdout) == (ExitCode.PERMISSION, "")


def _named(row: Line | StallCause | SlowRequest) -> tuple[str, ...]:
    task = row.task
    return (task.name, *(one.name for one in task.awaited_by)) if task else ()


def _stalls(process: Process) -> list[StallCause]:
    return [one for loop in process.loops if loop.stalls for one in loop.stalls.causes if one.task]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("python", sid_pythons(), ids=label)
def test_a_trace_names_the_tasks_of_slow_calls_stalls_and_requests(
    python: str, loop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(packages_folder(sid_pythons()[python])))
    with (
        Target("task_stalls.py", loop, prefix=FIRST, python=python) as target,
        tracing(target.pid) as trace,
    ):

        def is_told() -> bool:
            trace.processes_alive()
            process = process_of(trace.report(trace.snapshot()), target.pid)
            return {_BLOCKER, _COMPUTER} <= set(map(_named, _stalls(process)))

        wait_until(is_told, "both kinds of stalls")
        process = process_of(report_of(trace), target.pid)
    lines = {one.stack[0].function: one for one in process.lines if one.stack}
    blocks = lines["blocks"].task
    assert blocks is not None
    assert _named(lines["blocks"]) == _BLOCKER
    places = [(one.frame.function, one.frame.line) for one in blocks.awaited_by if one.frame]
    assert places == [("middle", 38), ("outer", 43), ("main", 67)]
    assert set(map(_named, _stalls(process))) == {_BLOCKER, _COMPUTER}
    (requests,) = process.requests
    # The first ones may have been before the probes knew of its tasks.
    assert {_named(one) for one in requests.exemplars} - {()} == {("answerer",)}
