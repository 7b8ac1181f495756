"""Root, who runs the installed ``iotrace``: its outcome, its time and its memory."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from iotrace.report.codec import loads
from iotrace.report.model import Report

Happens = Callable[[str, str], None]
"""``happens(attack, now)``: the fixture of that name."""

INSTALLED = Path(sys.executable).parent / "iotrace"
"""The console script: ``python -m iotrace`` would look for modules in the current directory."""

_TEMPORARY = re.compile(r"/tmp/iotrace-[^/ ]*/")  # another name in each run

DEADLINE_S = 60.0
_ADDRESS_SPACE_BYTES = 4 << 30  # an attack on memory must not take the host with it

_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}

# What a process used before its exec counts as its peak: this one is small, pytest is not.
_LAUNCHER = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{os.waitstatus_to_exitcode(status)} {usage.ru_maxrss * 1024}")
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind. ``peak_bytes``: of the largest process that it was or started."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_bytes: int

    @property
    def report(self) -> Report:
        """The report that was printed as JSON."""
        return loads(self.stdout)

    def refusal(self) -> str:
        """A clear error: what and why. Raises AssertionError for a traceback or for silence."""
        lines = self.stderr.strip().splitlines()
        assert lines and lines[0].startswith("iotrace: "), self
        assert all(line.startswith(("  why:", "  try:")) for line in lines[1:]), self
        why = [line.removeprefix("  why:").strip() for line in lines[1:] if "why:" in line]
        return ": ".join([lines[0].removeprefix("iotrace: ").removesuffix("."), *why])

    def summary(self) -> str:
        """Exit code, and the error if there is one: for the table."""
        if not self.code:
            return "exit 0"
        return f"exit {self.code}: " + _TEMPORARY.sub("", self.refusal())


def root_runs(
    *arguments: object,
    cwd: Path = Path("/"),
    env: Mapping[str, str] | None = None,
    umask: int = 0o022,
    deadline_s: float = DEADLINE_S,
    prefix: tuple[str, ...] = (),
) -> Ended:
    """``iotrace ARGUMENTS`` as root in a directory, to its end.

    ``env`` is added to what sudo leaves of an environment; ``prefix``: a program, by its path,
    that runs the command. Raises AssertionError if the command
    has not ended at the deadline: it hangs.
    """
    with (
        tempfile.TemporaryFile() as stdout,
        tempfile.TemporaryFile() as stderr,
        tempfile.NamedTemporaryFile() as result,
    ):
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, result.name, *prefix]
            + [str(word) for word in (INSTALLED, *arguments)],
            stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, cwd=cwd, umask=umask,
            env={**_ENVIRONMENT, **(env or {})}, start_new_session=True, preexec_fn=_limit_memory,
        )  # fmt: skip
        try:
            process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it hangs: iotrace {arguments} after {deadline_s} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
                process.wait()
        seconds = time.monotonic() - began
        code, peak_bytes = Path(result.name).read_text().split()
        return Ended(int(code), _text(stdout), _text(stderr), seconds, int(peak_bytes))


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE_BYTES, _ADDRESS_SPACE_BYTES))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
