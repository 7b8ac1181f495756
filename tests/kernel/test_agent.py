"""``iotrace agent`` on real programs, asked as Prometheus asks."""

from __future__ import annotations

import contextlib
import http.client
import io
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_fd_to_metric_families
from prometheus_client.parser import text_string_to_metric_families

from iotrace.recording.recording_reader import read_recording
from tests.kernel.command import iotrace, programs_of, started
from tests.kernel.targets import PROGRAMS
from tests.traced_server import PROGRAM, Server
from tests.waiting import DEADLINE_S, wait_until

Series = dict[tuple[str, str], float]
"""Name and "label=value label=value" -> value; without the labels of the group."""


@contextmanager
def _agent(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """An agent, and the unix socket that it serves at."""
    path = Path(f"/tmp/agent-{uuid.uuid4()}.sock")
    try:
        with started("agent", "-i", "0.2", "--listen", f"unix:{path}", *arguments) as process:
            wait_until(lambda: path.exists() and programs_of(process.pid), "the agent to trace")
            yield process, path
    finally:
        path.unlink(missing_ok=True)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("agent", timeout=DEADLINE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def _text(path: Path, accept: str = "text/plain") -> str:
    """What is served; "": nothing yet."""
    with contextlib.closing(_UnixConnection(path)) as client:
        client.request("GET", "/metrics", headers={"Accept": accept})
        answer = client.getresponse()
        text = answer.read().decode()
    return text if answer.status == http.client.OK else ""


def _scrape(path: Path, program: str) -> Series:
    text = _text(path)
    series: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            group = labels.pop("program", ""), labels.pop("unit", ""), labels.pop("container", "")
            if group[0] in ("", program):
                rest = " ".join(f"{key}={value}" for key, value in sorted(labels.items()))
                series[sample.name, rest] = sample.value
    return series


def _run(program: str, *arguments: object) -> Any:
    command = [sys.executable, str(PROGRAMS / program), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_time_of_a_program_that_joins_adds_up_and_agrees_with_the_kernel() -> None:
    word = f"agent-{uuid.uuid4()}"
    with _agent("--name", word) as (process, path), _run("listener.py", 0, word) as target:
        try:
            wait_until(
                lambda: _scrape(path, "listener.py").get(("iotrace_processes", "")) == 1,
                "the program to join",
            )
            first = _scrape(path, "listener.py")
            wait_until(
                lambda: _intervals(_scrape(path, "listener.py")) >= _intervals(first) + 5,
                "five more intervals",
            )
            later = _scrape(path, "listener.py")
        finally:
            target.kill()
        process.terminate()
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, errors
    grown = {key: value - first.get(key, 0) for key, value in later.items()}
    spent = {key: s for key, s in grown.items() if key[0] == "iotrace_thread_time_seconds_total"}
    # It sleeps in pause, one thread, so that all of the time is that wait.
    passed_s = 0.2 * (_intervals(later) - _intervals(first))
    assert abs(sum(spent.values()) / passed_s - 1) < 0.5
    assert spent["iotrace_thread_time_seconds_total", "state=wait_signal"] > 0.9 * sum(
        spent.values()
    )


def _intervals(series: Series) -> float:
    return series.get(("iotrace_agent_intervals_total", ""), 0.0)


def test_processes_that_come_and_go_leave_nothing_behind() -> None:
    """More than the tables have room for at a time: 400 processes of two threads."""
    word = f"churn-{uuid.uuid4()}"
    with _agent("--name", word) as (process, path), _run("short_lived.py", 40, 10, word) as target:
        assert target.wait(timeout=DEADLINE_S) == 0
        now = _scrape(path, "short_lived.py")
        wait_until(
            lambda: _intervals(_scrape(path, "short_lived.py")) >= _intervals(now) + 2,
            "two more intervals",
        )
        series = _scrape(path, "short_lived.py")
        lost = [
            value for (name, _), value in series.items() if name.startswith("iotrace_agent_lost")
        ]
        assert lost
        assert not any(lost)
        # The pid is on one metric alone, and only of processes that are there.
        assert not [labels for _, labels in series if "pid=" in labels]
        assert process.poll() is None


def test_what_led_to_a_stall_is_dumped_with_its_line_and_an_exemplar_has_it(
    tmp_path: Path,
) -> None:
    """The agent as a flight recorder; nothing is written before."""
    word = f"flight-{uuid.uuid4()}"
    recording = ("--last", "3", "--after", "0.3", "--on", "stall>200ms", "--dumps", tmp_path)
    options = ("--detail", "full", "--lines", "--timeline", *recording)
    with (
        contextlib.closing(Server(word)) as server,
        _agent("--name", word, *options) as (process, path),
    ):
        wait_until(
            lambda: _scrape(path, PROGRAM).get(("iotrace_processes", "")) == 1,
            "the program to join",
        )
        for _ in range(10):
            server.ask("now")
        assert not list(tmp_path.iterdir())
        server.ask("sleep 300")
        wait_until(lambda: list(tmp_path.glob("*.iot")), "the dump")
        openmetrics = "application/openmetrics-text; version=1.0.0"
        wait_until(lambda: "# {" in _text(path, openmetrics), "the exemplar")
        text = _text(path, openmetrics)
        process.terminate()
        _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, errors
    assert "1 dumps were written" in errors
    families = {one.name: one for one in text_fd_to_metric_families(io.StringIO(text))}
    samples = families["iotrace_request_duration_seconds"].samples
    (exemplar,) = [one.exemplar for one in samples if one.exemplar and one.exemplar.value > 0.2]
    assert "request_server.py:" in exemplar.labels["line"]
    assert exemplar.labels["line"].endswith(" answer")
    assert exemplar.labels["call"] == "clock_nanosleep"
    assert 0.3 <= exemplar.value < 1
    (dump,) = tmp_path.glob("*.iot")
    report = read_recording(dump).report
    (stalled,) = (one for p in report.processes for one in p.loops if one.stalls)
    assert stalled.stalls is not None
    (cause,) = stalled.stalls.causes
    assert cause.own_stack[0].function == "answer"
    # The last 3 s and up to a third more, or all that there was.
    assert 0.3 < report.duration_ns / 1e9 < 5
    assert iotrace("report", dump, "-f", "chrome").code == 0


@pytest.mark.parametrize("intervals", [0, 2])
def test_an_end_before_a_dump_is_due_writes_it(tmp_path: Path, intervals: int) -> None:
    """Of all that is kept, with its reason, be the trigger of the last interval or older."""
    word = f"pending-{uuid.uuid4()}"
    recording = ("--last", "60", "--after", "60", "--on", "SIGUSR1", "--dumps", tmp_path)
    with _run("listener.py", 0, word) as target:
        try:
            with _agent("--name", word, *recording) as (process, path):
                wait_until(lambda: _intervals(_scrape(path, "")) >= 4, "four intervals")
                process.send_signal(signal.SIGUSR1)
                now = _intervals(_scrape(path, ""))
                wait_until(lambda: _intervals(_scrape(path, "")) >= now + intervals, "more")
                assert not list(tmp_path.iterdir())
                process.terminate()
                _, errors = process.communicate(timeout=DEADLINE_S)
        finally:
            target.kill()
    assert process.returncode == 0, errors
    (dump,) = tmp_path.glob("*.iot")
    recorded = read_recording(dump)
    assert "recorded because of SIGUSR1" in recorded.report.quality.notes
    assert {one.pid for one in recorded.report.processes} == {target.pid}
    # What is kept begins with the first totals, which are those of the first interval's end.
    _, *later = (one.duration_ns for one in recorded.samples)
    assert len(later) >= 3
    assert recorded.report.duration_ns >= sum(later)


def test_a_text_file_for_node_exporter_and_a_full_disk(tmp_path: Path) -> None:
    """The file is replaced whole; where it cannot be, the agent goes on and says so once."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], check=True)
    try:
        file = place / "iotrace.prom"
        with _agent("--name", "nothing-is-called-so", "--prom-file", file) as (process, path):
            wait_until(file.exists, "the file")
            assert "iotrace_agent_intervals_total" in file.read_text()
            (place / "fill").write_bytes(b"x" * 60_000)
            with contextlib.suppress(OSError), (place / "more").open("wb") as more:
                more.write(b"x" * 60_000)
            begun = _intervals(_scrape(path, ""))
            wait_until(lambda: _intervals(_scrape(path, "")) >= begun + 3, "more intervals")
            process.terminate()
            _, errors = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0
        assert errors.count("No space left") == 1
        assert "iotrace_agent_intervals_total" in file.read_text()
        assert sorted(file.name for file in place.iterdir()) == ["fill", "iotrace.prom", "more"]
    finally:
        subprocess.run(["umount", "-l", place], check=True)
