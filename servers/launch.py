# SPDX-License-Identifier: Apache-2.0
"""Starts a reference server in a process of its own, and is sure to stop it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from iotrace.errors import ExitCode, IotraceError, Unsupported

PATIENCE_S = 10.0
ASK_AGAIN_S = 1.0


@dataclass(slots=True)
class RunningServer:
    """A server that has said it is ready on ``port``."""

    process: subprocess.Popen[str]
    port: int

    @property
    def pid(self) -> int:
        """Its process id; also its process group and session."""
        return self.process.pid

    def stop(self, patience_s: float = PATIENCE_S, number: int = signal.SIGTERM) -> int:
        """End it by the signal ``number`` and return its exit status, 0 when all is well.

        It is asked again every second: a signal that comes just before a blocking call is
        noticed at the next. Not while it ends: Python then has no handler any more, and the
        signal would be its end. After ``patience_s`` it is killed, with its children.
        """
        deadline = time.monotonic() + patience_s
        asked = False
        while self.process.poll() is None and time.monotonic() < deadline:
            if not asked or self._handles(number):
                self.process.send_signal(number)
                asked = True
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(ASK_AGAIN_S)
        if self.process.poll() is None:
            self.kill()
        return self.process.wait()

    def _handles(self, number: int) -> bool:
        """SigCgt of proc(5)."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text()
        except OSError:
            return False
        caught = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "")
        return bool(int(caught.partition(":")[2] or "0", 16) >> (number - 1) & 1)

    def kill(self) -> None:
        """End it and its children at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(
    module: str,
    arguments: Sequence[str] = (),
    *,
    prefix: Sequence[str] = (),
    stderr: IO[str] | None = None,
) -> Iterator[RunningServer]:
    """The server ``iotrace.servers.<module>``, ready; stopped at the end, whatever happens.

    ``prefix``: a command that runs it (a tracer, taskset, ...). Raises Unsupported when the
    server cannot run on this host, IotraceError when it does not get ready; both say why.
    Its stderr goes to the caller's, or to ``stderr``. It runs in its own session, so a Ctrl-C
    at the terminal does not reach it; and in /, since Python imports from where it is started.
    """
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", f"iotrace.servers.{module}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd="/",
        text=True,
        start_new_session=True,
    )
    server = RunningServer(process, 0)
    try:
        server.port = _ready_port(process)
        yield server
    finally:
        if server.stop() != 0:
            server.kill()  # it may have left children behind
        assert process.stdout is not None
        process.stdout.close()


def _ready_port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    readable, _, _ = select.select((process.stdout,), (), (), PATIENCE_S)
    words = process.stdout.readline().split() if readable else []
    if len(words) == 2 and words[0] == "ready":
        return int(words[1])
    why = f"it said nothing for {PATIENCE_S:.0f} s"
    if readable:
        status = process.wait()
        if status == ExitCode.UNSUPPORTED:
            raise Unsupported("the server cannot run here", why="it has said why on stderr")
        why = f"it ended with status {status}"
    raise IotraceError("the server did not get ready", why=why)
