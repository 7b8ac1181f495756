"""What an agent costs, and that nothing of it grows: figures are printed (pytest -s)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.measure import memory_bytes
from benchmarks.process_group import free_port
from iotrace.snapshot.recycler import KEPT as RECYCLED_AT
from tests.kernel.command import programs_of, started
from tests.monitoring.agent_cost import map_entries, quiet
from tests.monitoring.fleet import WORKERS
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
MODULE = "tests.monitoring.fleet"
CONTAINERS, AT_A_TIME = 1000, 50
KEPT_INTERVALS = 30
ROUNDS = 300
"""Intervals over which memory is flat."""
WARM_ROUNDS = {"light": 60, "full": 300}
"""Until all lines and stacks of the fleet have been met."""
MIB = 1 << 20
_HIERARCHIES = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup"))
"""Of version 1 with a hierarchy of systemd's, and of version 2."""


class Agent:
    """One that runs, and what it serves."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self._address = f"http://127.0.0.1:{port}/metrics"

    def series(self) -> dict[str, float]:
        """Name with labels -> value; {}: it is too soon."""
        try:
            with urllib.request.urlopen(self._address, timeout=60) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def wait_for_intervals(self, count: int) -> None:
        """So many more."""
        name = "iotrace_agent_intervals_total"
        first = self.series().get(name, 0.0)
        wait_until(lambda: self.series().get(name, 0.0) >= first + count, "intervals")


@contextlib.contextmanager
def _agent(word: str, *options: object) -> Iterator[Agent]:
    port = free_port()
    with started("agent", "--name", word, "--listen", f"127.0.0.1:{port}", *options) as process:
        wait_until(lambda: programs_of(process.pid), "the agent to trace")
        agent = Agent(process.pid, port)
        wait_until(agent.series, "the first interval")
        yield agent


@dataclass(frozen=True)
class Fleet:
    """Servers under load; the word by which they are found."""

    process: subprocess.Popen[bytes]
    size: int

    @property
    def word(self) -> str:
        return f"{MODULE} {self.size} "

    def wait_until_traced(self, agent: Agent) -> float:
        """All of them, by the agent's own figure; how much of their time it has, in seconds."""
        wait_until(lambda: self._traced(agent.series()), "all to be traced", deadline_s=60)
        return _total(agent.series(), "iotrace_thread_time_seconds_total")

    def check(self, agent: Agent, before: float, seconds: float) -> None:
        """They run, are traced still, and most of their time for so long has been added up."""
        series = agent.series()
        assert self.process.poll() is None
        assert self._traced(series)
        grown = _total(series, "iotrace_thread_time_seconds_total") - before
        assert grown > 0.5 * seconds * self.size * (1 + WORKERS)

    def _traced(self, series: dict[str, float]) -> bool:
        """The servers, and the client which is their parent."""
        return _total(series, "iotrace_processes") == self.size + 1


def _total(series: dict[str, float], metric: str) -> float:
    """Of the servers and their client."""
    label = f'program="{MODULE}"'
    return sum(
        value for name, value in series.items() if name.startswith(f"{metric}{{") and label in name
    )


@contextlib.contextmanager
def _fleet(processes: int, per_s: float, seconds: float) -> Iterator[Fleet]:
    command = (sys.executable, "-m", MODULE, processes, per_s, seconds)
    with subprocess.Popen([*map(str, command)], cwd=ROOT, stdout=subprocess.PIPE) as fleet:
        assert fleet.stdout is not None
        fleet.stdout.readline()
        try:
            yield Fleet(fleet, processes)
        finally:
            fleet.kill()


@contextlib.contextmanager
def _cgroups(names: list[str]) -> Iterator[list[Path]]:
    place = next(path for path in _HIERARCHIES if (path / "cgroup.procs").exists())
    top = place / f"iotrace-{uuid.uuid4()}"
    top.mkdir()
    made: list[Path] = []
    try:
        for name in names:
            made.append(top / name)
            made[-1].mkdir()
        yield made
    finally:
        for path in (*made, top):
            path.rmdir()


def test_a_thousand_containers_leave_nothing_behind() -> None:
    """Control groups named as Docker's are, a short-lived Python in each."""
    word = f"churn-{uuid.uuid4()}"
    program = f"import time; time.sleep(1.5) # {word}"
    with _agent(word, "-i", "0.3") as agent:
        agent.wait_for_intervals(3)
        before = map_entries(agent.pid), set(agent.series())
        memory: list[int] = []
        labelled = 0
        for batch in _batches():
            with _cgroups([f"docker-{_id(number)}.scope" for number in batch]) as groups:
                running = []
                for group in groups:
                    running.append(subprocess.Popen([sys.executable, "-S", "-E", "-c", program]))
                    (group / "cgroup.procs").write_text(str(running[-1].pid))
                agent.wait_for_intervals(2)
                names = {name for name in agent.series() if name.startswith("iotrace_processes{")}
                labelled += sum(any(_label(number) in name for name in names) for number in batch)
                for process in running:
                    assert process.wait() == 0
            memory.append(memory_bytes(agent.pid, "VmRSS"))
        agent.wait_for_intervals(KEPT_INTERVALS + 2)
        series = agent.series()
        after = map_entries(agent.pid), set(series)
    gone = set(map(_label, range(CONTAINERS)))
    lost = {name: value for name, value in series.items() if "agent_lost" in name and value}
    print(f"\nentries of maps: {after[0]}; series: {len(before[1])} -> {len(after[1])}")
    print(f"RSS in MiB: {[value // MIB for value in memory]}; labelled: {labelled}")
    assert not lost
    assert not [name for name in after[1] if any(map(name.__contains__, gone))]
    # Records of ended threads are given back by the hundred.
    assert max(after[0].values()) < AT_A_TIME + RECYCLED_AT, after[0]
    assert len(after[1]) <= len(before[1]) + 2
    assert labelled > CONTAINERS / 2
    assert memory[-1] - memory[len(memory) // 4] < 4 * MIB


def _id(number: int) -> str:
    return f"{number:04x}".ljust(64, "a")


def _label(number: int) -> str:
    return f'container="{_id(number)[:12]}"'


def _batches() -> Iterator[range]:
    for first in range(0, CONTAINERS, AT_A_TIME):
        yield range(first, first + AT_A_TIME)


@pytest.mark.parametrize("detail", ["light", "full"])
def test_memory_is_flat_over_an_hour_s_worth_of_intervals(detail: str) -> None:
    """Of 0.25 s in the place of 10 s."""
    options = ("-i", "0.25", "--detail", detail)
    with _fleet(20, 200, 300) as fleet, _agent(fleet.word, *options) as agent:
        before, begun = fleet.wait_until_traced(agent), time.monotonic()
        for _ in range(WARM_ROUNDS[detail] // 60):
            agent.wait_for_intervals(60)
        warm = memory_bytes(agent.pid, "VmRSS")
        for _ in range(6):
            agent.wait_for_intervals(ROUNDS // 6)
        cold = memory_bytes(agent.pid, "VmRSS")
        fleet.check(agent, before, time.monotonic() - begun)
    print(f"\n{detail}: RSS {warm / MIB:.1f} MiB, after {ROUNDS} more intervals {cold / MIB:.1f}")
    assert cold < 64 * MIB
    assert cold - warm < MIB


def test_a_hundred_processes_cost_less_than_a_hundredth_of_a_cpu() -> None:
    """400 threads, 200 requests a second, at the default interval."""
    with _fleet(100, 200, 180) as fleet, _agent(fleet.word) as agent:
        before = fleet.wait_until_traced(agent)
        share = quiet(agent.pid, 60)
        memory = memory_bytes(agent.pid, "VmRSS")
        fleet.check(agent, before, 60)
        series = agent.series()
    program = [name for name in series if f'program="{MODULE}"' in name]
    plain = [name for name in program if not name.startswith("iotrace_process_info")]
    print(f"\n{share:.2%} of a CPU, RSS {memory / MIB:.1f} MiB, {len(plain)} series")
    assert share < 0.01
    assert memory < 60 * 10**6
    assert len(plain) < 60
