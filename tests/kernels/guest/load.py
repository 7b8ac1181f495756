# SPDX-License-Identifier: Apache-2.0
"""A server, its clients, and real-time tasks that preempt all of them, one on each CPU."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_FDINFO = "/proc/{}/fdinfo"
_LAST_ATTACHED = "tp_name:\tsched_switch"


class Load:
    """``server``: the process id of server.py. Use as a context manager."""

    def __init__(self, folder: Path, python: str) -> None:
        preempt = folder / "preempt"
        subprocess.run(["gcc", "-O1", "-o", preempt, folder / "guest/preempt.c"], check=True)
        command = [python, str(folder / "guest/server.py")]
        self._server = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._server.stdout is not None
        self.server, self._clients = map(int, self._server.stdout.readline().split())
        self._preempting = [
            subprocess.Popen([preempt, str(cpu)]) for cpu in range(os.cpu_count() or 1)
        ]
        time.sleep(2)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Until go_on(), or until the end."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.go_on()

    def go_on(self) -> None:
        """No longer paused."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for pid in (self._clients, *(one.pid for one in self._preempting)):
            os.kill(pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self._server, *self._preempting):
            process.kill()
            process.wait()


def skipped_runs(pid: int) -> dict[str, list[int]]:
    """Runs that the kernel has skipped of the programs that a process has attached, by tracepoint;
    in the order in which they were attached."""
    skipped: dict[str, int] = {}
    links: list[tuple[int, str, str]] = []
    for path in Path(_FDINFO.format(pid)).iterdir():
        with suppress(OSError):
            told = dict(line.partition(":\t")[::2] for line in path.read_text().splitlines())
            if "recursion_misses" in told:
                skipped[told["prog_id"]] = int(told["recursion_misses"])
            elif "tp_name" in told:
                links.append((int(told["link_id"]), told["tp_name"], told["prog_id"]))
    found: dict[str, list[int]] = {}
    for _, tracepoint, program in sorted(links):
        found.setdefault(tracepoint, []).append(skipped.get(program, 0))
    return {tracepoint: counts for tracepoint, counts in found.items() if any(counts)}


def is_attached(pid: int) -> bool:
    """Whether a process has attached a program to the tracepoint that iotrace attaches to last."""
    folder = Path(_FDINFO.format(pid))
    try:
        return any(_LAST_ATTACHED in one.read_text() for one in folder.iterdir())
    except OSError:
        return False
