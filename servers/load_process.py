# SPDX-License-Identifier: Apache-2.0
"""The load in a process of its own, so that the tracer and it don't share an interpreter.

``python -m iotrace.servers.load_process`` is that process. It reads one line per load, the
arguments of ``iotrace.servers.load`` as a JSON list, and writes one line with its result. Its
imports are done before it says that it is ready, so a load begins at once. It ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import Any

from iotrace.servers.load_plan import LoadResult, Times

from iotrace.errors import IotraceError

_PATIENCE_S = 10.0


class LoadProcess:
    """Starts at once and stays for any number of loads; leaving it ends the process."""

    def __init__(self) -> None:
        # A session of its own: a Ctrl-C at the terminal is for us, and we end it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "iotrace.servers.load_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            text=True,
            start_new_session=True,
        )
        self._ready = False

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def run(
        self, arguments: Sequence[str], on_tick: Callable[[], object], tick_ns: int
    ) -> LoadResult:
        """One load from beginning to end; ``on_tick`` runs every ``tick_ns`` meanwhile.

        Raises IotraceError when the load cannot be carried out, and what ``on_tick`` raises.
        """
        assert self._process.stdin is not None
        self.wait_until_ready(on_tick, tick_ns)
        with contextlib.suppress(BrokenPipeError):  # why it has ended is told below
            self._process.stdin.write(json.dumps(list(arguments)) + "\n")
            self._process.stdin.flush()
        return _result(self._line(on_tick, tick_ns))

    def wait_until_ready(self, on_tick: Callable[[], object], tick_ns: int) -> None:
        """Until a load would begin at once. Raises as ``run`` does."""
        if not self._ready:
            self._line(on_tick, tick_ns)
            self._ready = True

    def _line(self, on_tick: Callable[[], object], tick_ns: int) -> dict[str, Any]:
        assert self._process.stdout is not None
        while not select.select((self._process.stdout,), (), (), tick_ns / 1e9)[0]:
            on_tick()
        line = self._process.stdout.readline()
        if not line:
            assert self._process.stderr is not None
            words = self._process.stderr.read().strip().splitlines()
            raise IotraceError("The load has failed.", why=words[-1] if words else "")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it, whatever it does."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def __enter__(self) -> LoadProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _result(answer: dict[str, Any]) -> LoadResult:
    spreads = {
        name: Times(**answer[name]) if answer[name] else None
        for name in ("latency_ns", "connect_ns")
    }
    return LoadResult(**{**answer, **spreads, "refusals": tuple(answer["refusals"])})


def main() -> None:
    """Carry out loads until the input ends."""
    from iotrace.servers.load import plan_from, run_load

    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(asdict(run_load(plan_from(json.loads(line))))), flush=True)


if __name__ == "__main__":
    main()
