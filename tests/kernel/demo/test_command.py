"""``iotrace demo`` as its users run it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from iotrace.servers.catalog import MODELS

from tests.kernel.command import programs_left, programs_of
from tests.kernel.waiting import is_alive
from tests.waiting import DEADLINE_S, wait_until

_RUNNABLE = [model.id for model in MODELS if model.unavailable() is None]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "iotrace", "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )


def demo(*arguments: str) -> str:
    with start(*arguments) as process:
        output, errors = process.communicate(timeout=3 * DEADLINE_S)
    # 6: figures are incomplete, which can happen on a busy machine (skipped probe runs).
    assert process.returncode in (0, 6), errors
    return output


def descendants(pid: int) -> dict[int, str]:
    """The children of a process, theirs and so on, with their command lines."""
    found: dict[int, str] = {}
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            try:
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            found.update(descendants(child))
    return found


def sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets; none if it has ended."""
    found = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(fd.readlink())
                if target.startswith("socket:["):
                    found.add(target.removeprefix("socket:[").removesuffix("]"))
    return found


def listening_ports(pid: int) -> set[int]:
    """TCP ports that sockets of this process listen on (state 0A in proc_net_tcp(5))."""
    inodes = sockets(pid)
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(r[1].rpartition(":")[2], 16) for r in rows if r[3] == "0A" and r[9] in inodes}


def is_listened_to(port: int) -> bool:
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(r[3] == "0A" and int(r[1].rpartition(":")[2], 16) == port for r in rows)


def test_a_demo_shows_picture_tables_and_what_to_see_within_15_seconds() -> None:
    since = time.monotonic()
    text = demo("--model", "nonblocking")
    # On a machine that others use as well it takes as much longer.
    share = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert time.monotonic() - since < 15 * share
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    order = [
        next(index for index, line in enumerate(lines) if line.startswith(head))
        for head in ("One request of this run", "iotrace 0", "Threads (", "What to see")
    ]
    assert order == sorted(order)
    assert "more such calls" in text
    assert "data arrives" in text


def test_other_formats_are_the_plain_report() -> None:
    report = json.loads(demo("--model", "blocking", "--requests", "7", "-f", "json"))
    assert report["schema"].startswith("iotrace.report/")
    (process,) = report["processes"]
    assert "iotrace.servers.blocking" in process["cmdline"]


def test_an_output_file_gets_all_of_it(tmp_path: Path) -> None:
    target = tmp_path / "demo.txt"
    assert demo("--model", "poll", "--requests", "7", "-o", str(target)) == ""
    assert "What to see" in target.read_text()


def verdicts(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        one["model"]: {
            key: (cell["measured"] if key == "io" else cell["agrees"])
            for key, cell in one.items()
            if isinstance(cell, dict)
        }
        for one in answer["models"]
    }


DISAGREES = {
    ("nonblocking", "pickup_p50_ns"),
    ("signal", "calls_per_request"),
    ("asyncio", "calls_per_request"),
}
"""What the book's pictures leave out: a poller that has a CPU of its own is not late, and a handler
and an event loop make calls of their own."""


def test_all_models_are_as_the_textbook_says() -> None:
    answer = json.loads(demo("--model", "all", "-n", "19", "-f", "json"))
    assert [one["model"] for one in answer["models"]] == _RUNNABLE
    # The CPU time of a request is more where others have the caches.
    wrong = {
        (name, key)
        for name, cells in verdicts(answer).items()
        for key, agrees in cells.items()
        if agrees is False and key != "cpu_per_request_ns"
    }
    assert wrong <= DISAGREES
    found = {name: cells["io"] for name, cells in verdicts(answer).items()}
    assert found == {
        model.id: "synchronous" if model.synchronous else "asynchronous"
        for model in MODELS
        if model.id in _RUNNABLE
    }


def test_a_few_models_are_compared_in_80_columns() -> None:
    text = demo("--model", "blocking,epoll", "--requests", "11")
    assert max(map(len, text.splitlines())) <= 80
    assert sum(line.startswith("blocking ") for line in text.splitlines()) == 3
    assert sum(line.startswith("epoll ") for line in text.splitlines()) == 3


@pytest.mark.thorough
def test_more_clients_show_where_multiplexing_overtakes_blocking() -> None:
    answer = json.loads(demo("-m", "blocking,epoll", "--connections", "1,20", "-f", "json"))
    rates = {(p["model"], p["connections"]): p["requests_per_second"] for p in answer["points"]}
    calls = {(p["model"], p["connections"]): p["calls_per_request"] for p in answer["points"]}
    assert calls["epoll", 1] > calls["blocking", 1]
    assert rates["epoll", 20] > 3 * rates["blocking", 20]


@pytest.mark.parametrize(
    ("model", "number"),
    [
        ("epoll", signal.SIGINT),
        ("nonblocking", signal.SIGTERM),
        pytest.param("fork", signal.SIGINT, marks=pytest.mark.thorough),
    ],
)
def test_an_end_in_the_midst_leaves_nothing_behind(model: str, number: signal.Signals) -> None:
    with start("--model", model, "--requests", "100000", "--duration", "60") as process:
        wait_until(lambda: _is_under_load(process), "the load to send")
        family = descendants(process.pid)
        ports = {port for pid in family for port in listening_ports(pid)}
        programs = programs_of(process.pid)
        assert ports
        assert programs
        process.send_signal(number)
        output, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + number
    assert (output, errors) == ("", "")
    wait_until(lambda: not any(is_alive(pid) for pid in family), "all processes to end")
    assert not any(is_listened_to(port) for port in ports)
    wait_until(lambda: not programs_left(programs), "the probes to be gone")


def _is_under_load(process: subprocess.Popen[str]) -> bool:
    """The server has a connection: a socket besides its listener."""
    assert process.poll() is None, process.communicate()
    return any(
        "iotrace.servers." in command and len(sockets(child)) > 1
        for child, command in descendants(process.pid).items()
    )


def test_mistakes_are_told_before_anything_is_started() -> None:
    for arguments, words in (
        (("--model", "kqueue"), "there is no model 'kqueue'"),
        (("--model", "epoll", "--variant", "sleepy"), "has no variant 'sleepy'"),
        (("--model", "all", "--delay", "10us"), "needs a --delay of 1 ms"),
        (("--model", "all", "-f", "csv"), "has no format csv"),
        (("--connections", "0"), "is no number"),
    ):
        with start(*arguments) as process:
            output, errors = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 2, errors
        assert words in errors
        assert output == ""
