"""Start the small programs in programs/, which wait until they are told to go."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.kernel.waiting import sleeps_in
from tests.waiting import DEADLINE_S, wait_until

PROGRAMS = Path(__file__).parent / "programs"


def command(program: str, *arguments: object, python: str = sys.executable) -> list[str]:
    """The command line that runs one of the programs."""
    return [python, "-u", str(PROGRAMS / program), *map(str, arguments)]


class Target:
    """A program at its gate. ``facts``: what it says of itself; ``pid`` is one of them."""

    def __init__(
        self,
        program: str,
        *arguments: object,
        prefix: tuple[str, ...] = (),
        pass_fds: tuple[int, ...] = (),
        python: str = sys.executable,
    ) -> None:
        self.process = subprocess.Popen(
            [*prefix, *command(program, *arguments, python=python)],
            stdout=subprocess.PIPE,
            pass_fds=pass_fds,
        )
        self.facts = self.read_line()
        self.pid: int = self.facts["pid"]

    def read_line(self) -> dict[str, Any]:
        """The next facts that it tells."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the program ended: {self.process.wait(DEADLINE_S)}"
        facts: dict[str, Any] = json.loads(line)
        return facts

    def go(self) -> None:
        """Let it do its work."""
        os.kill(self.pid, signal.SIGUSR1)

    def wait_until_ready_again(self) -> None:
        """Until it is at its gate once more, after an exec."""
        assert self.read_line()["pid"] == self.pid
        wait_until(lambda: sleeps_in(self.pid, self.pid, "rt_sigtimedwait"), "the next gate")

    def wait_until_finished(self) -> None:
        """Until its work is done and its main thread pauses."""

        def has_finished() -> bool:
            assert self.process.poll() is None, "the program ended by itself"
            return sleeps_in(self.pid, self.pid, "pause")

        wait_until(has_finished, "the program to finish")

    def results(self) -> dict[str, Any]:
        """What it has to tell after its work; it ends."""
        os.kill(self.pid, signal.SIGUSR2)
        results = self.read_line()
        self.process.wait(DEADLINE_S)
        return results

    def close(self) -> None:
        """End it in any case."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait(DEADLINE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Target:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def targets_on(
    pythons: Sequence[str], program: str, *arguments: object, prefix: tuple[str, ...] = ()
) -> Iterator[dict[str, Target]]:
    """One program on each of these interpreters, by interpreter: one trace can follow them all."""
    with contextlib.ExitStack() as ends:
        yield {
            python: ends.enter_context(Target(program, *arguments, prefix=prefix, python=python))
            for python in pythons
        }
