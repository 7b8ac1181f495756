"""What strace says of a program: the same figures from another source (never in the same run)."""

from __future__ import annotations

import re
import shutil
import signal
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.kernel.targets import Target

_WHOLE = re.compile(r"(\d+) +(\w+)\((.*)\) += (.+)")
_BEGUN = re.compile(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (.+)")
_ERROR = re.compile(r"-1 ([A-Z]\w+) ")
_RESTART = re.compile(r"\? (ERESTART\w+) ")
_MESSAGE_LENGTH = re.compile(r"msg_len=(\d+)")
_MESSAGE_CALLS = ("recvmmsg", "sendmmsg")


@dataclass
class Tally:
    """One system call: how often it returned, with which errors, and the sum of its results."""

    calls: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, name: str, arguments: str, result: str) -> None:
        """One call as strace prints it."""
        self.calls += 1
        error = _ERROR.match(result) or _RESTART.match(result)
        if error:
            self.errors[error[1]] += 1
        elif name in _MESSAGE_CALLS:
            self.bytes += sum(map(int, _MESSAGE_LENGTH.findall(arguments)))
        else:
            self.bytes += int(result.split()[0], 0)


def require_strace() -> str:
    """The program, or the test is skipped."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("needs strace to compare with: apt-get install strace")
    return found


def tally(log: str) -> dict[str, Tally]:
    """Every call that returned, by name, of all threads in a log of ``strace -f``."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    begun: dict[str, str] = {}
    for line in log.splitlines():
        if match := _RESUMED.fullmatch(line):
            tid, name, rest, result = match.groups()
            arguments = begun.pop(tid, "") + rest
        elif match := _BEGUN.fullmatch(line):
            begun[match[1]] = match[3]
            continue
        elif match := _WHOLE.fullmatch(line):
            _, name, arguments, result = match.groups()
        else:
            continue  # signals and exits
        if result.strip() != "?":
            tallies[name].add(name, arguments, result)
    return dict(tallies)


def strace_work(program: str, log: Path) -> dict[str, Tally]:
    """What strace counts in a program from its gate to the end of its work."""
    options = ("-f", "-a0", "-s", "8", "-o", str(log))
    with Target(program, prefix=(require_strace(), *options)) as target:
        target.go()
        target.wait_until_finished()
    return tally(_between_gates(log.read_text()))


def _between_gates(log: str) -> str:
    """The lines from the return of the gate's call (it is in) to the final pause (it is not)."""
    lines = log.splitlines()
    taken = f"({signal.SIGUSR1.name})"
    first = next(i for i, line in enumerate(lines) if "rt_sigtimedwait" in line and taken in line)
    last = next(i for i, line in enumerate(lines) if " pause(" in line)
    return "\n".join(lines[first:last])
