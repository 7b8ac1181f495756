"""Start the worker and iotrace on it; know when the probes are on, and that they are gone."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from iotrace.engine.bpf_syscall import program_ids
from iotrace.report.codec import loads
from iotrace.report.model import Report
from tests.kernel.targets import command
from tests.kernel.waiting import sleeps_in
from tests.waiting import DEADLINE_S, wait_until

IOTRACE = (sys.executable, "-m", "iotrace")
TIMES = range(int(os.environ.get("IOTRACE_TIMES", "1")))
"""How often each fault is tried: ``make faults`` tries more often than ``make test``."""


def moments(*delays_ms: int) -> tuple[int, ...]:
    """At which of these a fault is tried: all of them only where all is tried several times."""
    return delays_ms if len(TIMES) > 1 else delays_ms[1::4]


STATUS = 23
ROUNDS = 40
_PROGRAM_ID = re.compile(r"^prog_id:\s+(\d+)$", re.MULTILINE)


class Worker:
    """programs/worker.py; it waits for ``go`` before it works."""

    def __init__(self, mode: str = "plain", rounds: int = ROUNDS) -> None:
        self.mode, self.rounds = mode, rounds
        self.process = subprocess.Popen(
            command("worker.py", rounds, mode),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "WORKER_WAITS": "1"},
        )
        assert self.process.stdout is not None
        self.pid = int(self.process.stdout.readline())
        wait_until(lambda: sleeps_in(self.pid, self.pid, "rt_sigtimedwait"), "the worker")

    def go(self) -> None:
        """Let it work."""
        os.kill(self.pid, signal.SIGUSR1)

    def check_unharmed(self) -> None:
        """Its result byte for byte, its exit status its own."""
        out, _ = self.process.communicate(timeout=DEADLINE_S)
        assert out.strip() == checksum_of(self.mode, self.rounds)
        assert self.process.returncode == STATUS

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@functools.cache
def checksum_of(mode: str, rounds: int) -> str:
    """What the worker prints when nobody looks."""
    done = subprocess.run(
        command("worker.py", rounds, mode), capture_output=True, text=True, check=False
    )
    assert done.returncode == STATUS, done.stderr
    return done.stdout.split()[1]


class Tracer:
    """An iotrace of its own process."""

    def __init__(
        self,
        *arguments: object,
        stdout: int = subprocess.PIPE,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [*IOTRACE, *map(str, arguments)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(env or {})},
        )
        self.pid = self.process.pid
        self.programs: frozenset[int] = frozenset()

    def wait_until_attached(self) -> None:
        """Until the probes are on, the targets entered, and it waits for the end."""
        wait_until(self._is_attached, "iotrace to attach")

    def _is_attached(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        if not sleeps_in(self.pid, self.pid, "rt_sigtimedwait"):
            return False
        self.programs = programs_of(self.pid)
        return len(self.programs) >= 8

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self) -> tuple[int, str, str]:
        """Exit status, standard output, standard error; the probes must be gone then."""
        out, err = self.process.communicate(timeout=DEADLINE_S)
        wait_until(lambda: not self.programs & set(program_ids()), "the probes to be gone")
        return self.process.returncode, out or "", err

    def report(self) -> Report:
        """What it printed as JSON, after a good end."""
        status, out, err = self.wait()
        assert status == 0, (status, err)
        return loads(out)

    def __enter__(self) -> Tracer:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def programs_of(pid: int) -> frozenset[int]:
    """The BPF programs that a process holds."""
    found = set()
    with contextlib.suppress(OSError):
        for info in Path(f"/proc/{pid}/fdinfo").iterdir():
            with contextlib.suppress(OSError):
                found.update(map(int, _PROGRAM_ID.findall(info.read_text())))
    return frozenset(found)


@contextmanager
def traced_worker(mode: str = "plain", *options: str) -> Iterator[tuple[Worker, Tracer]]:
    """A worker at its gate, and an iotrace that is attached to it and prints JSON."""
    with Worker(mode) as worker, Tracer("attach", worker.pid, "-f", "json", *options) as tracer:
        tracer.wait_until_attached()
        yield worker, tracer


def one_line(err: str) -> None:
    """What happened in one line, then perhaps why and what to try: no traceback."""
    lines = err.strip().splitlines()
    assert lines, "nothing was said"
    assert lines[0].startswith("iotrace: "), err
    assert all(line.startswith(("  why:", "  try:")) for line in lines[1:]), err
