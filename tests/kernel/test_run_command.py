"""``iotrace run``: the program is traced from its exec, and behaves as if it were run alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.command import checked_report, iotrace, started
from tests.kernel.strace import require_strace, tally
from tests.waiting import DEADLINE_S, wait_until

NOBODY = 65534
# Deterministic to the last call: no site-packages, no hash seed, no byte code.
PYTHON = (sys.executable, "-I", "-S", "-B")
WORK = """
import os
reader, writer = os.pipe()
for _ in range(101):
    os.write(writer, b"seven b")
    os.read(reader, 7)
for _ in range(13):
    try:
        os.read(99, 1)
    except OSError:
        pass
"""


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("kill -KILL $$", 128 + signal.SIGKILL),
        ("kill -TERM $$", 128 + signal.SIGTERM),
    ],
)
def test_it_ends_as_the_program_does(script: str, code: int) -> None:
    ended = iotrace("run", "--", "sh", "-c", script)
    assert (ended.code, ended.stdout) == (code, "")
    assert "sh" in ended.stderr


def test_stdout_is_the_program_s(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    ended = iotrace("run", "-f", "json", "-o", path, "--", "sh", "-c", "cat; echo to stderr >&2",
                    stdin=subprocess.DEVNULL)  # fmt: skip
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "to stderr\n")
    report = checked_report(path.read_text())
    assert [process["name"] for process in report["processes"]] == ["sh", "cat"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_program(number: signal.Signals) -> None:
    script = f"trap 'echo got it; exit 5' {number.value}; echo ready; while :; do sleep 0.01; done"
    with started("run", "--", "sh", "-c", script) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        stdout, _ = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, stdout) == (5, "got it\n")


def test_it_counts_from_the_exec_on_as_strace_does(tmp_path: Path) -> None:
    command = (*PYTHON, "-c", WORK)
    environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
    log, path = tmp_path / "strace", tmp_path / "report.json"
    alike = {"env": environment, "stdin": subprocess.DEVNULL}
    strace = (require_strace(), "-f", "-s", "8", "-o", log)
    subprocess.run([*strace, *command], check=True, capture_output=True, **alike)
    ended = iotrace("run", "-f", "json", "-o", path, "--", *command, **alike)
    assert ended.code == 0
    (process,) = checked_report(path.read_text())["processes"]
    traced = _traced(process)
    straced: Counter[tuple[str, str]] = Counter()
    for name, counts in tally(log.read_text()).items():
        if name == "execve":
            continue  # where counting begins
        name = name if (name, "") in traced else "other"
        straced[name, ""] += counts.calls
        straced.update({(name, error): count for error, count in counts.errors.items()})
    assert traced == straced
    assert traced["write", ""] == 101
    assert traced["read", "EBADF"] == 13


def _traced(process: dict[str, Any]) -> Counter[tuple[str, str]]:
    """(call, "") -> how often; (call, error) -> how often it failed so."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in process["calls"]:
        if row["calls"]:
            counts[row["syscall"], ""] += row["calls"]
            counts.update({(row["syscall"], name): n for name, n in row["errors"].items()})
    return counts


def test_the_program_runs_as_the_caller_of_sudo() -> None:
    sudo = {**os.environ, "SUDO_UID": str(NOBODY), "SUDO_GID": str(NOBODY)}
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, NOBODY, NOBODY)
        path = Path(directory) / "report.json"
        ended = iotrace("run", "-f", "json", "-o", path, "--", "id", "-u", env=sudo)
        assert (ended.code, ended.stdout) == (0, f"{NOBODY}\n")
        assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, NOBODY)


def test_a_program_that_does_not_exist() -> None:
    ended = iotrace("run", "--", "/no/such/program")
    assert (ended.code, ended.stdout) == (2, "")
    assert "No such file or directory" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_program_that_ignores_its_end_has_its_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    script = "trap '' TERM; while :; do sleep 0.01; done"
    command = ("run", "-d", "200ms", "-f", "json", "-o", path, "--", "sh", "-c", script)
    with started(*command) as process:
        wait_until(path.exists, "the report of a program that goes on")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + signal.SIGINT
    checked_report(path.read_text())


def test_duration_ends_the_program_once_its_report_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    ended = iotrace("run", "-d", "200ms", "-f", "json", "-o", path, "--", "sleep", "1000")
    assert ended.code == 128 + signal.SIGTERM
    (process,) = checked_report(path.read_text())["processes"]
    (thread,) = process["threads"]
    assert thread["in_call"]["syscall"] == "clock_nanosleep"
    assert thread["ended_ns"] is None
